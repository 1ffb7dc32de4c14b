//! The words that say who takes the money: each is a flag, an environment variable and a key of the settings file.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use command_service::payments::stripe::webhook::Signatures;
use command_service::payments::stripe::{StripeProvider, StripeSettings};

use service_kit::clock;
use service_kit::tls::Trust;

use crate::config::{ClientTlsArgs, WrongSettings, needed, secret};
use crate::connect;
use crate::numbers::whole;

/// How long the simulator may take, and how long Stripe, unless somebody says so.
const SIMULATOR_DEADLINE: Duration = Duration::from_secs(2);
const STRIPE_DEADLINE: Duration = Duration::from_secs(20);

/// Who takes the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum PaymentProviderName {
    /// The simulated provider, with a ledger of its own
    #[default]
    Simulator,
    /// Stripe
    Stripe,
}

/// Who takes the money, and how they are asked.
#[derive(Clone, Default, PartialEq, clap::Args)]
pub(crate) struct ProviderArgs {
    /// Who takes the money
    #[arg(long, env = "DOCKET_PAYMENT_PROVIDER", value_enum, default_value = "simulator")]
    pub(crate) payment_provider: PaymentProviderName,
    /// Stripe's secret key, or a restricted one
    #[arg(long, env = "DOCKET_STRIPE_SECRET_KEY", hide_env_values = true, value_name = "KEY")]
    stripe_secret_key: Option<String>,
    /// File with that key
    #[arg(long, env = "DOCKET_STRIPE_SECRET_KEY_FILE", value_name = "FILE")]
    stripe_secret_key_file: Option<PathBuf>,
    /// Where Stripe's API is
    #[arg(
        long,
        env = "DOCKET_STRIPE_API_URL",
        value_name = "URL",
        default_value = "https://api.stripe.com"
    )]
    stripe_api_url: String,
}

/// Who takes the money, how long they are waited for, and what they tell by themselves.
#[derive(Clone, Default, PartialEq, clap::Args)]
pub(crate) struct PaymentArgs {
    #[command(flatten)]
    provider: ProviderArgs,
    /// Milliseconds that the payment provider may take to answer [default: 2000, for Stripe 20000]
    #[arg(long, env = "DOCKET_PAYMENT_DEADLINE_MS", value_name = "MS", value_parser = whole::<u64>,
        allow_negative_numbers = true)]
    payment_deadline_ms: Option<u64>,
    /// Signing secret of the webhook endpoint at Stripe; two, separated by a blank, while one takes the other's place
    #[arg(
        long,
        env = "DOCKET_STRIPE_WEBHOOK_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    stripe_webhook_secret: Option<String>,
    /// File with that secret
    #[arg(long, env = "DOCKET_STRIPE_WEBHOOK_SECRET_FILE", value_name = "FILE")]
    stripe_webhook_secret_file: Option<PathBuf>,
}

impl std::fmt::Debug for ProviderArgs {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ProviderArgs({:?})", self.payment_provider)
    }
}

impl std::fmt::Debug for PaymentArgs {
    /// Without secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PaymentArgs({:?})", self.provider)
    }
}

/// Stripe, and what makes its notices believed.
pub(crate) struct Stripe {
    pub(crate) provider: StripeProvider,
    pub(crate) notices: Option<Signatures>,
}

impl ProviderArgs {
    /// Stripe, if that is who takes the money.
    pub(crate) fn stripe(
        &self,
        deadline: Duration,
        tls: &ClientTlsArgs,
    ) -> Result<Option<StripeProvider>> {
        match self.payment_provider {
            PaymentProviderName::Simulator => return Ok(None),
            PaymentProviderName::Stripe => {}
        }
        let (key, file) = (self.stripe_secret_key.clone(), self.stripe_secret_key_file.clone());
        let secret_key = needed("stripe_secret_key", secret("stripe_secret_key", key, file)?)?;
        let api_url = self.stripe_api_url.clone();
        // Stripe is shown a key, and no certificate.
        let tls = connect::tls(&tls.without_identity(), Trust::Public)?;
        let settings = StripeSettings { secret_key, api_url, deadline, tls };
        let provider = StripeProvider::new(settings, clock::system());
        let wrong = || WrongSettings::new("Stripe can't be asked");
        Ok(Some(provider.with_context(wrong)?))
    }
}

impl PaymentArgs {
    /// How long the provider is waited for.
    pub(crate) fn deadline(&self) -> Duration {
        let usual = match self.provider.payment_provider {
            PaymentProviderName::Simulator => SIMULATOR_DEADLINE,
            PaymentProviderName::Stripe => STRIPE_DEADLINE,
        };
        self.payment_deadline_ms.map_or(usual, Duration::from_millis)
    }

    /// A payment method that the provider knows and that succeeds: of Stripe one for tests, which a live key does not take.
    pub(crate) fn example_method(&self) -> &'static str {
        match self.provider.payment_provider {
            PaymentProviderName::Simulator => "pm_ok",
            PaymentProviderName::Stripe => "pm_card_visa",
        }
    }

    /// Stripe, if that is who takes the money.
    pub(crate) fn stripe(&self, tls: &ClientTlsArgs) -> Result<Option<Stripe>> {
        let Some(provider) = self.provider.stripe(self.deadline(), tls)? else { return Ok(None) };
        let (said, file) =
            (self.stripe_webhook_secret.clone(), self.stripe_webhook_secret_file.clone());
        let secrets = secret("stripe_webhook_secret", said, file)?;
        let notices = secrets.as_deref().and_then(Signatures::parse);
        Ok(Some(Stripe { provider, notices }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_stripe(key: Option<&str>, api_url: &str) -> PaymentArgs {
        let provider = ProviderArgs {
            payment_provider: PaymentProviderName::Stripe,
            stripe_secret_key: key.map(str::to_owned),
            stripe_secret_key_file: None,
            stripe_api_url: api_url.to_owned(),
        };
        PaymentArgs { provider, ..PaymentArgs::default() }
    }

    #[test]
    fn stripe_needs_a_key_and_an_address_that_keeps_it_secret() {
        let missing = of_stripe(None, "https://api.stripe.com")
            .stripe(&ClientTlsArgs::default())
            .err()
            .unwrap()
            .to_string();
        assert!(missing.contains("--stripe-secret-key"), "{missing}");
        let clear = of_stripe(Some("sk_test"), "http://stripe.example")
            .stripe(&ClientTlsArgs::default())
            .err()
            .unwrap();
        assert!(format!("{clear:#}").contains("clear text"), "{clear:#}");
        assert!(
            of_stripe(Some("sk_test"), "https://api.stripe.com")
                .stripe(&ClientTlsArgs::default())
                .unwrap()
                .is_some()
        );
        assert!(PaymentArgs::default().stripe(&ClientTlsArgs::default()).unwrap().is_none());
    }

    #[test]
    fn whoever_tries_an_order_is_told_a_method_that_the_provider_knows() {
        assert_eq!(PaymentArgs::default().example_method(), "pm_ok");
        let stripe = of_stripe(Some("sk_test"), "https://api.stripe.com");
        assert_eq!(stripe.example_method(), "pm_card_visa");
    }

    #[test]
    fn stripe_is_waited_for_longer_than_the_simulator_unless_somebody_says_how_long() {
        let stripe = of_stripe(None, "https://api.stripe.com");
        assert_eq!(PaymentArgs::default().deadline(), SIMULATOR_DEADLINE);
        assert_eq!(stripe.deadline(), STRIPE_DEADLINE);
        let said = PaymentArgs { payment_deadline_ms: Some(7), ..stripe };
        assert_eq!(said.deadline(), Duration::from_millis(7));
        assert!(!format!("{:?}", of_stripe(Some("sk_geheim"), "")).contains("geheim"));
    }
}
