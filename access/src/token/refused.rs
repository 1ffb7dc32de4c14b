//! Why a token is not taken.

use crate::role::Role;

/// Why a token is not taken. What it says is for whoever sent it: it names no key and repeats nothing of the token but a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has not three parts of base64url with JSON in the first two.
    #[error("this is no token: {0}")]
    Malformed(&'static str),
    /// It is larger than any of ours.
    #[error("the token is larger than {} bytes", super::parts::MOST_BYTES)]
    TooLarge,
    /// Two members of header or claims have the same name: readers may differ about which one counts.
    #[error("the token says something twice")]
    SaidTwice,
    /// It must not be processed by who does not understand an extension, and we do not.
    #[error("the token asks for an extension that is not understood (`crit`)")]
    Critical,
    /// It names the key to verify it with: anybody could.
    #[error("the token brings its own key (`{0}`), which is never used")]
    OwnKey(&'static str),
    /// It is something else than a token for an API.
    #[error("the token is of another type (`typ`)")]
    Type,
    /// It is compressed, encrypted, or has another token in it.
    #[error("the token is not a plain signed one (`{0}`)")]
    NotPlain(&'static str),
    /// Nobody here vouches by that name.
    #[error("the token is of an issuer that is not known here (`iss`)")]
    Issuer,
    /// The issuer signs otherwise.
    #[error("the token is not signed as its issuer signs (`alg`)")]
    Algorithm,
    /// The issuer has no such key, or has several and the token does not say which.
    #[error("the token is signed with a key that its issuer does not have (`kid`)")]
    Key,
    /// The signature is not the issuer's.
    #[error("the signature is wrong")]
    Signature,
    /// It is for somebody else.
    #[error("the token is for somebody else (`aud`)")]
    Audience,
    /// Something is missing.
    #[error("the token does not say `{0}`")]
    Missing(&'static str),
    /// Something is there and is not what it should be.
    #[error("`{0}` of the token can't be read")]
    Claim(&'static str),
    /// Its time is over.
    #[error("the token has expired (`exp`)")]
    Expired,
    /// Its time has not come.
    #[error("the token is of the future (`{0}`)")]
    NotYet(&'static str),
    /// It gives no role that is known here.
    #[error("the token gives no role that is known here")]
    NoRole,
    /// Its issuer may not give this role.
    #[error("the issuer of the token may not make anybody {0}")]
    RoleNotItsToGive(Role),
    /// Nothing is wrong with it as far as is known: the issuer's keys can't be read now.
    #[error("the keys of the token's issuer can't be read now")]
    KeysAway {
        /// In so many seconds they are asked for again; not before.
        again_in_s: u32,
    },
}
