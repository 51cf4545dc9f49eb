//! Names that nothing else has.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// A random word of eight lower-case letters, for a name that nothing else has.
pub fn unique() -> String {
    let mut rest = RandomState::new().build_hasher().finish();
    let letter = |_| {
        let letter = char::from(b'a' + u8::try_from(rest % 26).unwrap());
        rest /= 26;
        letter
    };
    (0..8).map(letter).collect()
}
