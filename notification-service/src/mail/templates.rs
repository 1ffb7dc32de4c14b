//! What mails say: the built-in templates, and a folder's instead.
//!
//! **Invariant:** a template that could fail for a customer fails at the start: one with a syntax error, without a subject, or with a
//! placeholder that its notice has not.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::values::{Told, Values};
use crate::public::NoticeKind;

/// How the first line begins.
const SUBJECT: &str = "Subject:";
/// How a template's file ends.
const EXTENSION: &str = "txt";
/// The most characters of a subject.
const MOST_SUBJECT: usize = 250;

/// Why a template can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The folder can't be read.
    #[error("the folder of mail templates {} can't be read", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file can't be read, or is not UTF-8.
    #[error("the mail template {} can't be read as UTF-8", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No notice has a template of this name.
    #[error("{} is the template of no mail; there are {known}", .path.display())]
    NoNotice {
        /// The file.
        path: PathBuf,
        /// What there is.
        known: String,
    },
    /// It does not begin with a subject.
    #[error(
        "the mail template {template} does not begin with a line `Subject: …` and an empty one"
    )]
    NoSubject {
        /// The template.
        template: String,
    },
    /// A placeholder stands for nothing.
    #[error(
        "the mail template {template} has the placeholder `{placeholder}`, which it can't have; it can have {known}"
    )]
    Placeholder {
        /// The template.
        template: String,
        /// The placeholder.
        placeholder: String,
        /// What it can have.
        known: String,
    },
    /// It can't be understood, or fails when it is filled in.
    #[error("the mail template {template} can't be used")]
    Unusable {
        /// The template.
        template: String,
        /// Why.
        #[source]
        source: minijinja::Error,
    },
}

/// What mails say.
#[derive(Debug)]
pub struct Templates(Environment<'static>);

/// A mail's words.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Words {
    /// One line.
    pub(super) subject: String,
    pub(super) body: String,
}

impl Templates {
    /// The built-in ones, and instead of each the one of this folder that is called like it, such as `parcel_shipped.txt`.
    pub fn load(folder: Option<&Path>) -> Result<Self, TemplateError> {
        if let Some(folder) = folder {
            check_names(folder)?;
        }
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        // It is text: nothing is escaped.
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        for kind in NoticeKind::ALL {
            let file = folder.map(|folder| folder.join(kind.stem()).with_extension(EXTENSION));
            match file.filter(|file| file.exists()) {
                Some(path) => {
                    let text = fs::read_to_string(&path);
                    let text =
                        text.map_err(|source| TemplateError::File { path: path.clone(), source })?;
                    add(&mut environment, *kind, &path.display().to_string(), &text)?;
                }
                None => add(&mut environment, *kind, kind.stem(), built_in(*kind))?,
            }
        }
        Ok(Self(environment))
    }

    /// The words of a mail.
    pub(super) fn fill_in(
        &self,
        kind: NoticeKind,
        values: &Values,
    ) -> Result<Words, minijinja::Error> {
        let [subject, body] = ["subject", "body"].map(|part| {
            self.0.get_template(&name(kind, part)).and_then(|template| template.render(values))
        });
        Ok(Words { subject: one_line(&subject?), body: body? })
    }
}

fn built_in(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::OrderConfirmed => include_str!("templates/order_confirmed.txt"),
        NoticeKind::OrderRejected => include_str!("templates/order_rejected.txt"),
        NoticeKind::LinesCancelled => include_str!("templates/order_lines_cancelled.txt"),
        NoticeKind::OrderCancelled => include_str!("templates/order_cancelled.txt"),
        NoticeKind::ParcelShipped => include_str!("templates/parcel_shipped.txt"),
        NoticeKind::ParcelDelivered => include_str!("templates/parcel_delivered.txt"),
        NoticeKind::PaymentRefunded => include_str!("templates/payment_refunded.txt"),
    }
}

/// A file that is called like no mail would be left out in silence.
fn check_names(folder: &Path) -> Result<(), TemplateError> {
    let unread = |source| TemplateError::Folder { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        let is_template = path.extension().is_some_and(|extension| extension == EXTENSION);
        let is_known =
            |stem: &std::ffi::OsStr| NoticeKind::ALL.iter().any(|kind| stem == kind.stem());
        if is_template && !path.file_stem().is_some_and(is_known) {
            let known = NoticeKind::ALL.iter().map(|kind| format!("{}.{EXTENSION}", kind.stem()));
            let known = known.collect::<Vec<_>>().join(", ");
            return Err(TemplateError::NoNotice { path, known });
        }
    }
    Ok(())
}

/// The name of a part of a template.
fn name(kind: NoticeKind, part: &str) -> String {
    format!("{}/{part}", kind.stem())
}

/// Adds a template, once it is seen to work.
fn add(
    environment: &mut Environment<'static>,
    kind: NoticeKind,
    template: &str,
    text: &str,
) -> Result<(), TemplateError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let parts = first.strip_prefix(SUBJECT).zip(rest.strip_prefix('\n'));
    let no_subject = || TemplateError::NoSubject { template: template.to_owned() };
    let (subject, body) = parts.ok_or_else(no_subject)?;
    let unusable = |source| TemplateError::Unusable { template: template.to_owned(), source };
    for (part, text) in [("subject", subject.trim()), ("body", body)] {
        environment.add_template_owned(name(kind, part), text.to_owned()).map_err(unusable)?;
        let added = environment.get_template(&name(kind, part)).map_err(unusable)?;
        for sample in samples(kind) {
            let known: BTreeSet<&str> = sample.keys().copied().collect();
            let undeclared = added.undeclared_variables(false);
            if let Some(unknown) = undeclared.iter().find(|name| !known.contains(name.as_str())) {
                return Err(TemplateError::Placeholder {
                    template: template.to_owned(),
                    placeholder: unknown.clone(),
                    known: known.into_iter().collect::<Vec<_>>().join(", "),
                });
            }
            let rendered = added.render(&sample).map_err(unusable)?;
            if part == "subject" && one_line(&rendered).is_empty() {
                return Err(no_subject());
            }
        }
    }
    Ok(())
}

/// What a mail of this kind may be made of: with everything that may be there, and with nothing of it.
fn samples(kind: NoticeKind) -> Vec<Values> {
    let data = match kind {
        NoticeKind::OrderConfirmed => r#""total":{"amount":2550,"currency":"GBP"}"#,
        NoticeKind::OrderRejected => r#""code":"out_of_stock""#,
        NoticeKind::LinesCancelled => {
            r#""amount":{"amount":2550,"currency":"GBP"},"lines":[{"line":1,"quantity":2}]"#
        }
        NoticeKind::OrderCancelled => r#""customer_id":"c""#,
        NoticeKind::ParcelShipped => {
            r#""carrier":"Royal Mail","tracking":"RM1","lines":[{"line":1,"sku":"22423","quantity":2}]"#
        }
        NoticeKind::ParcelDelivered => r#""lines":[{"line":1,"sku":"22423","quantity":2}]"#,
        NoticeKind::PaymentRefunded => r#""amount":{"amount":2550,"currency":"GBP"}"#,
    };
    let with = format!(r#"{{"data":{{"order_id":"o1","reference":"r",{data}}}}}"#);
    let without = format!(r#"{{"data":{{"order_id":"o1",{data}}}}}"#);
    [(with, Some("Ada")), (without, None)]
        .iter()
        .filter_map(|(body, name)| Some(Told::read(body).ok()?.values(*name)))
        .collect()
}

/// A text as a header can have it: whatever was filled in begins no other header.
fn one_line(text: &str) -> String {
    let printable = |letter: char| if letter.is_control() { ' ' } else { letter };
    let line: String = text.trim().chars().map(printable).take(MOST_SUBJECT).collect();
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(file: &str, text: impl AsRef<[u8]>) -> Result<Templates, TemplateError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(file), text).unwrap();
        Templates::load(Some(folder.path()))
    }

    #[test]
    fn the_built_in_templates_can_be_filled_in_with_and_without_what_may_be_missing() {
        let templates = Templates::load(None).unwrap();
        for kind in NoticeKind::ALL {
            let samples = samples(*kind);
            assert_eq!(samples.len(), 2, "{kind:?}");
            for values in &samples {
                let words = templates.fill_in(*kind, values).unwrap();
                assert!(words.subject.contains("o1"), "{}", words.subject);
                assert!(words.body.starts_with("Hello"), "{}", words.body);
                assert!(
                    !words.body.contains("{{") && !words.body.contains("\n\n\n"),
                    "{}",
                    words.body
                );
            }
            assert!(templates.fill_in(*kind, &samples[0]).unwrap().body.contains("Hello Ada,"));
        }
        let shipped =
            templates.fill_in(NoticeKind::ParcelShipped, &samples(NoticeKind::ParcelShipped)[0]);
        let shipped = shipped.unwrap().body;
        assert!(shipped.contains("RM1") && shipped.contains("2 x 22423"), "{shipped}");
    }

    #[test]
    fn a_folder_s_template_takes_the_place_of_the_one_of_its_name() {
        let templates =
            loaded("order_cancelled.txt", "Subject: Storniert: {{ order_id }}\r\n\r\nGrüße\r\n");
        let templates = templates.unwrap();
        let sample = &samples(NoticeKind::OrderCancelled)[1];
        let words = templates.fill_in(NoticeKind::OrderCancelled, sample).unwrap();
        assert_eq!((&*words.subject, &*words.body), ("Storniert: o1", "Grüße"));
        let other =
            templates.fill_in(NoticeKind::OrderRejected, &samples(NoticeKind::OrderRejected)[0]);
        assert!(other.unwrap().body.contains("out of stock"), "the others stay");
    }

    #[test]
    fn what_would_fail_for_a_customer_fails_at_the_start_and_says_why() {
        for (file, text, said) in [
            (
                "order_cancelled.txt",
                "Subject: a\n\n{{ oder_id }}",
                "`oder_id`, which it can't have; it can have name, order_id, reference",
            ),
            ("order_cancelled.txt", "Subject: {{ tracking }}\n\nb", "`tracking`"),
            (
                "parcel_shipped.txt",
                "Subject: a\n\n{% for l in lines %}{{ l.skux }}{% endfor %}",
                "can't be used",
            ),
            ("order_cancelled.txt", "Subject: a\n\n{{ order_id", "can't be used"),
            ("order_cancelled.txt", "Subject: a\n\n{{ order_id | shout }}", "can't be used"),
            (
                "order_cancelled.txt",
                "Subject: a\n\n{% include 'parcel_shipped' %}",
                "can't be used",
            ),
            ("order_cancelled.txt", "Hello", "does not begin with a line"),
            ("order_cancelled.txt", "Subject: \n\nHello", "does not begin with a line"),
            ("order_cancelled.txt", "Subject: a\nHello", "does not begin with a line"),
            (
                "order_canceled.txt",
                "Subject: a\n\nb",
                "is the template of no mail; there are order_confirmed.txt",
            ),
        ] {
            let error = loaded(file, text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
        let latin = loaded("order_cancelled.txt", b"Subject: a\n\nGr\xfc\xdfe").unwrap_err();
        assert!(latin.to_string().contains("UTF-8"), "{latin}");
        let missing = Templates::load(Some(Path::new("/nowhere/at/all"))).unwrap_err();
        assert!(missing.to_string().contains("/nowhere/at/all"), "{missing}");
    }

    #[test]
    fn whatever_is_filled_into_a_subject_it_stays_one_line() {
        assert_eq!(one_line("a\r\nBcc: eve@example.org\0"), "a  Bcc: eve@example.org");
        assert_eq!(one_line(&"x".repeat(1_000)).len(), MOST_SUBJECT);
    }
}
