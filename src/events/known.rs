//! The Events written last, so that raising a count takes one request and not three.

use std::{collections::HashMap, mem};

use super::{name::EventKey, wire::Account};

/// A cache in two generations: when the young one is full it becomes the old one, and the old one
/// is dropped. It holds what was used lately, at most twice its size, at constant cost.
#[derive(Debug)]
pub(super) struct Known {
    size: usize,
    young: HashMap<EventKey, Account>,
    old: HashMap<EventKey, Account>,
}

impl Known {
    pub fn new(size: usize) -> Self {
        Self { size: size.max(1), young: HashMap::new(), old: HashMap::new() }
    }

    pub fn put(&mut self, key: EventKey, account: Account) {
        if self.young.len() >= self.size {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, account);
    }

    pub fn take(&mut self, key: &EventKey) -> Option<Account> {
        let old = self.old.remove(key);
        self.young.remove(key).or(old)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::wire::Past;

    fn put(known: &mut Known, name: &str, count: i32) {
        let past = Past { count, first: None, last: None };
        known.put(key(name), Account { version: None, past });
    }

    fn count(known: &mut Known, name: &str) -> Option<i32> {
        known.take(&key(name)).map(|account| account.past.count)
    }

    fn key(name: &str) -> EventKey {
        EventKey { namespace: String::new(), name: name.into() }
    }

    #[test]
    fn the_latest_are_kept_and_the_size_is_bounded() {
        let mut known = Known::new(10);
        for n in 0..1000 {
            put(&mut known, &n.to_string(), 1);
            assert!(known.young.len() + known.old.len() <= 20);
        }
        assert!((990..1000).all(|n| count(&mut known, &n.to_string()).is_some()));
        assert_eq!(count(&mut known, "0"), None);
    }

    #[test]
    fn the_newer_account_of_an_event_wins_and_no_older_one_comes_back() {
        let mut known = Known::new(1);
        put(&mut known, "a", 1);
        put(&mut known, "a", 2);
        assert_eq!(count(&mut known, "a"), Some(2));
        assert_eq!(count(&mut known, "a"), None);
    }
}
