//! Texts that occur again and again, kept once: half a million rows share a few thousand of them.

use std::collections::HashMap;
use std::sync::Arc;

/// A text of [`Names`], by its number. Two are equal exactly when their texts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Name(u32);

/// Every different text of the files that were read.
#[derive(Debug, Default)]
pub(crate) struct Names {
    texts: Vec<Arc<str>>,
    known: HashMap<Arc<str>, Name>,
}

impl Names {
    /// The name of `text`; the same one every time.
    pub(crate) fn intern(&mut self, text: &str) -> Name {
        if let Some(name) = self.known.get(text) {
            return *name;
        }
        let name = Name(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        let kept: Arc<str> = text.into();
        self.texts.push(Arc::clone(&kept));
        self.known.insert(kept, name);
        name
    }

    /// The name of a text that occurred.
    pub(crate) fn find(&self, text: &str) -> Option<Name> {
        self.known.get(text).copied()
    }

    /// The text of a name that these names gave out.
    pub(crate) fn text(&self, name: Name) -> &str {
        self.texts.get(name.0 as usize).map_or("", |text| text)
    }
}
