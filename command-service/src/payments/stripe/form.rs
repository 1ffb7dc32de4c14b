//! What is said to Stripe: names and values, encoded as a form.

/// Names and values, in the order in which they were said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn with(
        mut self,
        name: impl Into<String>,
        value: &(impl ToString + ?Sized),
    ) -> Self {
        self.0.push((name.into(), value.to_string()));
        self
    }

    /// Kept at the object, for us.
    pub(super) fn noting(self, name: &str, value: &(impl ToString + ?Sized)) -> Self {
        self.with(format!("metadata[{name}]"), value)
    }

    pub(super) fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}
