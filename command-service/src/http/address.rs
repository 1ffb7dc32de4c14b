//! The shipping address: the country in clear, the rest personal.

use domain::contact::PhoneNumber;
use domain::given::{FromClient, Given};
use domain::orders::ShippingAddress;
use domain::personal::AddressDetails;
use domain::text::{Country, Label};
use serde::{Deserialize, Serialize};
use service_kit::described::ShortText;
use service_kit::problem::{Code, Problem};

use super::app::App;
use super::described::{CountryText, PhoneText};
use super::sealing::Person;

/// Lines of a street address at most.
const MAX_ADDRESS_LINES: usize = 10;

// No `Debug`: it must not reach a log.

/// Where an order goes.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddressBody {
    /// The country, kept as given; not personal.
    #[schema(value_type = CountryText)]
    country: Country,
    /// The recipient.
    #[serde(default)]
    #[schema(value_type = Option<ShortText>)]
    name: Option<Given<Label>>,
    /// Street and house, one entry a line.
    #[serde(default)]
    #[schema(value_type = Option<Vec<ShortText>>, max_items = 10)]
    lines: Option<Vec<Given<Label>>>,
    /// Post code.
    #[serde(default)]
    #[schema(value_type = Option<ShortText>)]
    postcode: Option<Given<Label>>,
    /// Town.
    #[serde(default)]
    #[schema(value_type = Option<ShortText>)]
    city: Option<Given<Label>>,
    /// Telephone number: at least 3 digits, however it is written.
    #[serde(default)]
    #[schema(value_type = Option<PhoneText>)]
    phone: Option<Given<PhoneNumber>>,
}

impl AddressBody {
    /// The address with its personal part sealed for this person.
    pub(super) async fn seal(
        &self,
        app: &App,
        person: &Person,
    ) -> Result<ShippingAddress, Problem> {
        let lines = self.lines.as_deref().unwrap_or_default();
        if lines.len() > MAX_ADDRESS_LINES {
            let detail = format!("at most {MAX_ADDRESS_LINES} lines");
            return Err(Problem::from(Code::InvalidBody).mistake("/shipping_address/lines", detail));
        }
        let details = AddressDetails {
            name: text(self.name.as_ref()),
            lines: lines.iter().map(|line| line.get().to_string()).collect(),
            postcode: text(self.postcode.as_ref()),
            city: text(self.city.as_ref()),
            phone: text(self.phone.as_ref()),
        };
        let details =
            if details.is_empty() { None } else { Some(app.seal(person, &details).await?) };
        Ok(ShippingAddress { country: self.country.clone(), details })
    }
}

fn text<T: FromClient>(given: Option<&Given<T>>) -> Option<String> {
    given.map(|given| given.get().as_text().to_owned())
}
