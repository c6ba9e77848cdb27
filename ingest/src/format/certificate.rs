//! What is read of an X.509 certificate: when it begins, its extensions, its names.
//!
//! Reads the outline of the certificate and leaves the rest as it stands: keys, issuers and signatures are nobody's
//! business here. Must never say that a certificate is valid.

use std::ops::Range;

use model::Timestamp;
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Decode, SliceReader, Tag, Tagged};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::time::Time;

use crate::letters;

/// A certificate that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Certificate {
    der: Vec<u8>,
    begins: Option<Timestamp>,
    /// Where the values of Fulcio's extensions stand, by their last number.
    numbered: Vec<(u8, Range<usize>)>,
    /// Where the names of the subject stand.
    names: Option<Range<usize>>,
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
/// 1.3.6.1.4.1.57264.1, to which one number comes.
const FULCIO: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01];
/// 2.5.29.17.
const NAMES: &[u8] = &[0x55, 0x1d, 0x11];

impl Certificate {
    /// Base64 of DER, PEM, or base64 of PEM; None for a bare key and for everything else.
    pub(super) fn read(text: &str) -> Option<Certificate> {
        if text.starts_with(BEGIN) {
            return Certificate::of_pem(text.as_bytes());
        }
        let bytes = letters::in_lines(text.as_bytes())?;
        match bytes.starts_with(BEGIN.as_bytes()) {
            true => Certificate::of_pem(&bytes),
            false => Certificate::of_der(bytes),
        }
    }

    fn of_pem(pem: &[u8]) -> Option<Certificate> {
        let body = pem.strip_prefix(BEGIN.as_bytes())?;
        // No letter of base64 is a hyphen.
        let (body, end) = body.split_at_checked(memchr::memchr(b'-', body)?)?;
        if end.starts_with(b"-----END") { Certificate::of_der(letters::in_lines(body)?) } else { None }
    }

    fn of_der(der: Vec<u8>) -> Option<Certificate> {
        let (mut numbered, mut names) = (Vec::with_capacity(24), None);
        let begins = outline(&der, |id, value| {
            let start = value.as_ptr() as usize - der.as_ptr() as usize;
            let place = start..start + value.len();
            match id.strip_prefix(FULCIO) {
                Some(&[number]) => numbered.push((number, place)),
                _ if id == NAMES => names = names.take().or(Some(place)),
                _ => {}
            }
        })?;
        Some(Certificate { der, begins, numbered, names })
    }

    /// When it begins. Fulcio makes one for each signature and lets it live for ten minutes, so this is when the signer
    /// was let in.
    pub(super) fn begins(&self) -> Option<Timestamp> {
        self.begins
    }

    /// The value of extension `.1.number`; where a certificate is older than that extension, of the one it replaced.
    pub(super) fn extension(&self, number: u8) -> Option<&str> {
        let older = match number {
            8 => Some(1),
            13 => Some(3),
            14 => Some(6),
            20 => Some(2),
            _ => None,
        };
        let value = |number: u8| {
            let (_, place) = self.numbered.iter().find(|(known, _)| *known == number)?;
            self.der.get(place.clone())
        };
        // The first six were written without DER.
        let raw = |bytes| std::str::from_utf8(bytes).ok();
        value(number).and_then(utf8_text).or_else(|| value(older?).and_then(raw)).filter(|text| !text.is_empty())
    }

    /// The subject's addresses and names, each told to `told`.
    pub(super) fn names(&self, mut told: impl FnMut(&str)) {
        let bytes = self.names.clone().and_then(|place| self.der.get(place));
        let Some(Ok(SubjectAltName(names))) = bytes.map(SubjectAltName::from_der) else { return };
        for name in &names {
            match name {
                GeneralName::UniformResourceIdentifier(name)
                | GeneralName::Rfc822Name(name)
                | GeneralName::DnsName(name) => told(name.as_str()),
                // A user name that is no mail address: the certificate repeats it as extension 7.
                GeneralName::OtherName(other) => utf8(AnyRef::from(&other.value)).into_iter().for_each(&mut told),
                _ => {}
            }
        }
    }
}

/// The text that a part is.
fn utf8_text(mut der: &[u8]) -> Option<&str> {
    let text = part(&mut der, UTF8_STRING).filter(|_| der.is_empty())?;
    std::str::from_utf8(text).ok()
}

fn utf8(value: AnyRef<'_>) -> Option<&str> {
    std::str::from_utf8(value.value()).ok().filter(|_| value.tag() == Tag::Utf8String)
}

/// Tells `found` of each extension's id and value; None: this is no certificate. Returns when it begins.
fn outline<'a>(mut der: &'a [u8], mut found: impl FnMut(&'a [u8], &'a [u8])) -> Option<Option<Timestamp>> {
    let mut parts = part(&mut der, SEQUENCE)?;
    let mut signed = part(&mut parts, SEQUENCE)?;
    part(&mut parts, SEQUENCE)?;
    part(&mut parts, BIT_STRING)?;
    if !der.is_empty() || !parts.is_empty() {
        return None;
    }
    // The version, where it is not the first.
    if is_numbered(*signed.first()?, 0) {
        next(&mut signed)?;
    }
    part(&mut signed, INTEGER)?;
    // Algorithm and issuer.
    part(&mut signed, SEQUENCE)?;
    part(&mut signed, SEQUENCE)?;
    let begins = Time::decode(&mut SliceReader::new(part(&mut signed, SEQUENCE)?).ok()?).ok()?;
    // Subject and its key.
    part(&mut signed, SEQUENCE)?;
    part(&mut signed, SEQUENCE)?;
    while !signed.is_empty() {
        let (tag, mut more) = next(&mut signed)?;
        if is_numbered(tag, 3) {
            let mut extensions = part(&mut more, SEQUENCE)?;
            while !extensions.is_empty() {
                let mut extension = part(&mut extensions, SEQUENCE)?;
                let id = part(&mut extension, OBJECT_IDENTIFIER)?;
                if extension.first() == Some(&BOOLEAN) {
                    next(&mut extension)?;
                }
                found(id, part(&mut extension, OCTET_STRING)?);
            }
        }
    }
    Some(i64::try_from(begins.to_unix_duration().as_millis()).ok().map(Timestamp::from_ms))
}

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const SEQUENCE: u8 = 0x30;

/// The bytes of the next part, which must have this tag.
fn part<'a>(rest: &mut &'a [u8], wanted: u8) -> Option<&'a [u8]> {
    next(rest).filter(|(tag, _)| *tag == wanted).map(|(_, value)| value)
}

/// Tag and bytes of the next part: a certificate has a hundred of them, of which only these outlines are read. None: tags
/// of more than one byte, and lengths that are not in their shortest form.
fn next<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&tag, behind) = rest.split_first().filter(|(tag, _)| **tag & 0x1f != 0x1f)?;
    let (&first, behind) = behind.split_first()?;
    let (length, behind) = match first {
        ..=0x7f => (usize::from(first), behind),
        0x81..=0x84 => {
            let (digits, behind) = behind.split_at_checked(usize::from(first & 0x7f))?;
            let length = digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit));
            let is_shortest = length > 0x7f && digits.first() != Some(&0);
            (Some(length).filter(|_| is_shortest)?, behind)
        }
        _ => return None,
    };
    let (value, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some((tag, value))
}

/// `[wanted]`, of one part or of several.
fn is_numbered(tag: u8, wanted: u8) -> bool {
    tag & !0x20 == 0x80 | wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_none() {
        for text in
            ["", "AAAA", "-----BEGIN CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END", "%%", "MIIB"]
        {
            assert!(Certificate::read(text).is_none(), "{text}");
        }
    }
}
