//! Bytes that were changed on their way.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What readers of text, JSON, URLs and CSV stumble over.
const STUMBLING_BLOCKS: [&[u8]; 30] = [
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\r",
    b"\n",
    b"\"",
    b"\"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b";",
    b"null",
    b"-",
    b"1e400",
    b"-0.0",
    b"18446744073709551616",
    b"9223372036854775808",
    b"%00",
    b"%ff",
    b"../",
    b"\xe2\x80\xae",
];

/// One thing that happens to bytes.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Put(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    Cut(Index),
}

impl Change {
    fn make(self, bytes: &mut Vec<u8>) {
        let at = |index: Index, bytes: &[u8]| index.index(bytes.len() + 1);
        match self {
            Self::Flip(index, bit) => {
                let at = at(index, bytes);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            Self::Put(index, new) => {
                let at = at(index, bytes);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = new;
                }
            }
            Self::Insert(index, new) => {
                let at = at(index, bytes);
                drop(bytes.splice(at..at, new));
            }
            Self::Remove(index, length) => {
                let at = at(index, bytes);
                bytes.drain(at..(at + length).min(bytes.len()));
            }
            Self::Repeat(index, length, times) => {
                let at = at(index, bytes);
                let part = bytes[at..(at + length).min(bytes.len())].repeat(times);
                drop(bytes.splice(at..at, part));
            }
            Self::Cut(index) => bytes.truncate(at(index, bytes)),
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let block = select(&STUMBLING_BLOCKS[..]).prop_map(<[u8]>::to_vec);
    prop_oneof![
        (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Put(at, byte)),
        (any::<Index>(), block).prop_map(|(at, block)| Change::Insert(at, block)),
        (any::<Index>(), vec(any::<u8>(), 1..8)).prop_map(|(at, new)| Change::Insert(at, new)),
        (any::<Index>(), 1..40_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        (any::<Index>(), 1..40_usize, 1..4_usize)
            .prop_map(|(at, length, times)| Change::Repeat(at, length, times)),
        any::<Index>().prop_map(Change::Cut),
    ]
}

/// These bytes after one to four changes; seldom, they come out as they were.
pub fn altered(original: impl Into<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let original = original.into();
    vec(change(), 1..=4).prop_map(move |changes| {
        let mut bytes = original.clone();
        for change in changes {
            change.make(&mut bytes);
        }
        bytes
    })
}

/// One of these after one to four changes.
pub fn altered_one_of(originals: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    select(originals).prop_flat_map(altered)
}

/// Noise, or one of these with changes.
pub fn noise_or_altered(originals: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![1 => vec(any::<u8>(), 0..200), 4 => altered_one_of(originals)]
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest! {
        #[test]
        fn changes_stay_within_the_bytes_however_few_those_are(
            few in vec(any::<u8>(), 0..3),
            changes in vec(change(), 0..20),
        ) {
            let mut bytes = few;
            for change in changes {
                change.make(&mut bytes);
            }
        }
    }
}
