//! Equal things kept once: the thousand Pods of a Deployment have the same findings.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

/// How many are kept before those are looked for that nobody holds any more.
const FEW: usize = 64;

/// What is shared. It lets go of what nobody else holds, in time.
pub(super) struct Shared<T: ?Sized> {
    kept: HashSet<Arc<T>>,
    many: usize,
}

impl<T: ?Sized + Eq + Hash> Default for Shared<T> {
    fn default() -> Self {
        Self { kept: HashSet::new(), many: FEW }
    }
}

impl<T: ?Sized + Eq + Hash> Shared<T> {
    /// The one that is equal to this.
    pub(super) fn of<V: Borrow<T> + Into<Arc<T>>>(&mut self, value: V) -> Arc<T> {
        if let Some(kept) = self.kept.get(value.borrow()) {
            return kept.clone();
        }
        if self.kept.len() >= self.many {
            self.kept.retain(|kept| Arc::strong_count(kept) > 1);
            self.many = FEW.max(self.kept.len() * 2);
        }
        let value: Arc<T> = value.into();
        self.kept.insert(value.clone());
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_things_are_one_and_what_nobody_holds_goes() {
        let mut shared = Shared::<str>::default();
        let one = shared.of("one");
        assert!(Arc::ptr_eq(&one, &shared.of("one")));
        for n in 0..10 * FEW {
            shared.of(n.to_string().as_str());
        }
        assert!(shared.kept.len() <= FEW && shared.kept.contains("one"));
    }
}
