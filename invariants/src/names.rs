//! Names as numbers: a SKU stands in hundreds of thousands of lines, and its text is kept once.

use std::collections::HashMap;
use std::sync::Arc;

/// The number of a name, counted from 0.
pub(crate) type NameId = u32;

/// Names and their numbers.
#[derive(Debug, Default)]
pub(crate) struct Names {
    ids: HashMap<Arc<str>, NameId>,
    names: Vec<Arc<str>>,
}

impl Names {
    /// The number of a name, given when it is seen first.
    pub(crate) fn id(&mut self, name: &str) -> NameId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = NameId::try_from(self.names.len()).unwrap_or(NameId::MAX);
        let name: Arc<str> = name.into();
        self.ids.insert(Arc::clone(&name), id);
        self.names.push(name);
        id
    }

    /// The number of a name that was seen.
    pub(crate) fn find(&self, name: &str) -> Option<NameId> {
        self.ids.get(name).copied()
    }

    /// The name of a number.
    pub(crate) fn name(&self, id: NameId) -> &str {
        self.names.get(id as usize).map_or("?", AsRef::as_ref)
    }
}
