//! Customers with sealed addresses, and a mail server that writes to nobody else.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_store::keys::memory::MemoryKeys;
use event_store::keys::{MasterKey, Vault};
use notification_service::public::NoticeKind;
use notification_service::{
    MailServer, MailSettings, Schedule, SenderAddress, Settings, Templates,
};
use serde_json::{Value, json};
use test_servers::{SmtpServer, SmtpSettings, smtp_server};

use crate::bench::{Bench, PATIENCE, Running};

/// A bench with a mail server.
pub(crate) struct MailBench {
    pub(crate) bench: Bench,
    pub(crate) server: SmtpServer,
    pub(crate) vault: Arc<Vault>,
    pub(crate) templates: Arc<Templates>,
}

/// A mail as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Mail {
    fn read(text: &str) -> Self {
        let text = text.replace("\r\n", "\n");
        let (head, body) = text.split_once("\n\n").unwrap();
        // A long line is folded.
        let head = head.replace("\n ", " ");
        Self { head, body: body.replace("=\n", "") }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let begin = format!("{name}: ");
        let line = self.head.lines().find_map(|line| line.strip_prefix(&begin));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.head)).trim()
    }
}

impl MailBench {
    /// `None` where there is no mail server.
    pub(crate) fn with(bench: Bench, settings: &SmtpSettings) -> Option<Self> {
        let server = smtp_server(settings)?;
        let vault = Vault::new(Arc::new(MemoryKeys::new()), MasterKey::from_bytes([7; 32]));
        let templates = Arc::new(Templates::load(None).unwrap());
        Some(Self { bench, server, vault: Arc::new(vault), templates })
    }

    pub(crate) fn mail(&self) -> MailSettings {
        let server = format!("smtp://127.0.0.1:{}?tls=off", self.server.port());
        MailSettings {
            server: MailServer::parse(&server).unwrap(),
            credentials: None,
            authorities: None,
            from: SenderAddress::parse("Shop <orders@shop.example>").unwrap(),
            notices: NoticeKind::ALL.to_vec(),
            templates: Arc::clone(&self.templates),
            vault: Arc::clone(&self.vault),
            schedule: Schedule::of(vec![Duration::from_millis(50); 400]),
            deadline: Duration::from_secs(5),
        }
    }

    pub(crate) async fn start(&self) -> Running {
        self.start_with(self.mail()).await
    }

    pub(crate) async fn start_with(&self, mail: MailSettings) -> Running {
        let settings = Settings { mail: Some(mail), ..self.bench.settings() };
        let running = self.bench.start_with(settings).await;
        // It begins at the log's end when it begins.
        running.until_live().await;
        running
    }

    /// A customer with this name and address.
    pub(crate) async fn register(&self, customer: &str, name: Option<&str>, email: Option<&str>) {
        let registered = json!({ "customer_id": customer, "name": self.seal(customer, name).await,
            "email": self.seal(customer, email).await });
        self.bench.log.append("CustomerRegistered", without_nulls(registered)).await;
    }

    pub(crate) async fn change_address(&self, customer: &str, email: &str) {
        let changed =
            json!({ "customer_id": customer, "email": self.seal(customer, Some(email)).await });
        self.bench.log.append("ContactChanged", changed).await;
    }

    async fn seal(&self, customer: &str, text: Option<&str>) -> Value {
        let Some(text) = text else { return Value::Null };
        let clear = serde_json::to_vec(text).unwrap();
        let sealed = self.vault.seal(&format!("customer-{customer}"), &clear).await.unwrap();
        json!({ "person": sealed.person, "sealed": sealed.sealed })
    }

    /// An order of this customer that is confirmed.
    pub(crate) async fn confirm(&self, order: &str, customer: &str) {
        self.bench.log.place_for(order, Some(customer)).await;
        self.bench.log.confirm(order).await;
    }

    /// What the mail server took.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.server.mails().unwrap().iter().map(|text| Mail::read(text)).collect()
    }

    /// Waits until it took so many.
    pub(crate) async fn until_mails(&self, count: usize) -> Vec<Mail> {
        let begun = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let mails = self.mails();
            if mails.len() >= count {
                return mails;
            }
            assert!(begun.elapsed() < PATIENCE, "there are {mails:#?}");
        }
    }
}

impl Running {
    /// Waits until so many mails are in this state.
    pub(crate) async fn until_state(&self, state: &str, count: usize) -> Vec<Value> {
        let path = format!("/mails?state={state}");
        let there = |page: &Value| page["items"].as_array().unwrap().len() == count;
        self.until(&path, there).await["items"].as_array().unwrap().clone()
    }

    /// A mail with its attempts.
    pub(crate) async fn mail(&self, mail: &Value) -> Value {
        self.get(&format!("/mails/{}", mail["id"])).await
    }
}

/// Certificates for the loopback, good for a hundred years.
pub(crate) fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../messaging/tests/jetstream/tls").join(name)
}

fn without_nulls(mut object: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    object
}
