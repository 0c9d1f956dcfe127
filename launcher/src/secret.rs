//! Tokens: made at random, compared in constant time, never printed.

use std::fmt;

use ring::error::Unspecified;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

/// A random token of 256 bits, as 64 hexadecimal digits.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// A new one.
    pub(crate) fn random() -> Result<Self, Unspecified> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes)?;
        Ok(Self(hex::encode(bytes)))
    }

    /// One that was made elsewhere; `None` where it is too short to be one, or cannot stand in a
    /// header.
    pub(crate) fn given(text: &str) -> Option<Self> {
        let fits = text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    /// The token itself, for the one place that needs it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Knows a token when it sees it, in a time that tells nothing of how much of it was right.
pub(crate) struct Lockwork {
    key: hmac::Key,
    tag: hmac::Tag,
}

impl Lockwork {
    /// One that `secret` opens.
    pub(crate) fn new(secret: &Secret) -> Result<Self, Unspecified> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?;
        let tag = hmac::sign(&key, secret.reveal().as_bytes());
        Ok(Self { key, tag })
    }

    /// Whether the value of an `authorization` header is `Bearer` and the token.
    pub(crate) fn opens(&self, authorization: Option<&[u8]>) -> bool {
        let presented = authorization
            .and_then(|header| header.strip_prefix(b"Bearer "))
            .unwrap_or_default();
        hmac::verify(&self.key, presented, self.tag.as_ref()).is_ok()
    }
}

impl fmt::Debug for Lockwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lockwork(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_opens() {
        let secret = Secret::random().unwrap();
        let lock = Lockwork::new(&secret).unwrap();
        let token = secret.reveal();
        assert!(lock.opens(Some(format!("Bearer {token}").as_bytes())));
        for wrong in [
            String::new(),
            token.to_owned(),
            "Bearer ".to_owned(),
            format!("bearer {token}"),
            format!("Bearer {token} "),
            format!("Bearer {}", &token[..63]),
            format!("Bearer {}", Secret::random().unwrap().reveal()),
        ] {
            assert!(!lock.opens(Some(wrong.as_bytes())), "{wrong}");
        }
        assert!(!lock.opens(None));
    }

    #[test]
    fn a_given_token_is_one() {
        let token = Secret::random().unwrap();
        assert!(Secret::given(token.reveal()).is_some());
        for wrong in [
            "",
            "short",
            &format!("{}\n", token.reveal()),
            &"ä".repeat(40),
        ] {
            assert!(Secret::given(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn tokens_are_long_differ_and_are_not_printed() {
        let (one, other) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert_eq!(one.reveal().len(), 64);
        assert_ne!(one.reveal(), other.reveal());
        assert_eq!(format!("{one:?}"), "Secret(…)");
    }
}
