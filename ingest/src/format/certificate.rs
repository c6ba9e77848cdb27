//! What is read of an X.509 certificate: when it begins, its extensions, its names.
//!
//! Reads the outline of the certificate and leaves the rest as it stands: keys, issuers and signatures are nobody's
//! business here. Must never say that a certificate is valid.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use model::Timestamp;
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::time::Time;

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
            return Certificate::of_pem(text);
        }
        let bytes = base64(text)?;
        match bytes.starts_with(BEGIN.as_bytes()) {
            true => Certificate::of_pem(std::str::from_utf8(&bytes).ok()?),
            false => Certificate::of_der(bytes),
        }
    }

    fn of_pem(pem: &str) -> Option<Certificate> {
        let body = pem.strip_prefix(BEGIN)?;
        // No letter of base64 is a hyphen.
        let (body, end) = body.split_at_checked(body.find('-')?)?;
        if end.starts_with("-----END") { Certificate::of_der(base64(body)?) } else { None }
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
        let der = |bytes| utf8(AnyRef::from_der(bytes).ok()?);
        // The first six were written without DER.
        let raw = |bytes| std::str::from_utf8(bytes).ok();
        value(number).and_then(der).or_else(|| value(older?).and_then(raw)).filter(|text| !text.is_empty())
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

fn utf8(value: AnyRef<'_>) -> Option<&str> {
    std::str::from_utf8(value.value()).ok().filter(|_| value.tag() == Tag::Utf8String)
}

/// Tells `found` of each extension's id and value; None: this is no certificate. Returns when it begins.
fn outline<'a>(der: &'a [u8], mut found: impl FnMut(&'a [u8], &'a [u8])) -> Option<Option<Timestamp>> {
    let mut all = SliceReader::new(der).ok()?;
    let mut parts = reader(part(&mut all, Tag::Sequence)?)?;
    let mut signed = reader(part(&mut parts, Tag::Sequence)?)?;
    part(&mut parts, Tag::Sequence)?;
    part(&mut parts, Tag::BitString)?;
    if !all.is_finished() || !parts.is_finished() {
        return None;
    }
    if is_numbered(Tag::peek(&signed).ok()?, 0) {
        AnyRef::decode(&mut signed).ok()?;
    }
    part(&mut signed, Tag::Integer)?;
    // Algorithm and issuer.
    part(&mut signed, Tag::Sequence)?;
    part(&mut signed, Tag::Sequence)?;
    let begins = Time::decode(&mut reader(part(&mut signed, Tag::Sequence)?)?).ok()?;
    // Subject and its key.
    part(&mut signed, Tag::Sequence)?;
    part(&mut signed, Tag::Sequence)?;
    while !signed.is_finished() {
        let more = AnyRef::decode(&mut signed).ok()?;
        if is_numbered(more.tag(), 3) {
            let mut extensions = reader(part(&mut reader(more.value())?, Tag::Sequence)?)?;
            while !extensions.is_finished() {
                let mut extension = reader(part(&mut extensions, Tag::Sequence)?)?;
                let id = part(&mut extension, Tag::ObjectIdentifier)?;
                if Tag::peek(&extension).ok()? == Tag::Boolean {
                    part(&mut extension, Tag::Boolean)?;
                }
                found(id, part(&mut extension, Tag::OctetString)?);
            }
        }
    }
    Some(i64::try_from(begins.to_unix_duration().as_millis()).ok().map(Timestamp::from_ms))
}

fn reader(bytes: &[u8]) -> Option<SliceReader<'_>> {
    SliceReader::new(bytes).ok()
}

/// The bytes of the next part, which must have this tag.
fn part<'a>(reader: &mut SliceReader<'a>, tag: Tag) -> Option<&'a [u8]> {
    AnyRef::decode(reader).ok().filter(|part| part.tag() == tag).map(AnyRef::value)
}

fn is_numbered(tag: Tag, wanted: u32) -> bool {
    matches!(tag, Tag::ContextSpecific { number: TagNumber(number), .. } if number == wanted)
}

/// The bytes behind base64 text, white space and padding ignored.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    // Lines as PEM has them, copied each at once; then letter by letter.
    let mut lines = Vec::new();
    let whole = if memchr::memchr(b'\n', text.as_bytes()).is_some() {
        lines.reserve(text.len());
        text.split('\n').for_each(|line| lines.extend_from_slice(line.trim_ascii().as_bytes()));
        lines.as_slice()
    } else {
        text.as_bytes()
    };
    let padding = whole.iter().rev().take_while(|b| **b == b'=').count();
    STANDARD_NO_PAD.decode(whole.get(..whole.len() - padding)?).ok().or_else(|| {
        let letters: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'=').collect();
        STANDARD_NO_PAD.decode(letters).ok()
    })
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

    #[test]
    fn white_space_and_padding_do_not_count() {
        for text in ["YWI=", "YWI", "Y W\nI=\n", "YWI=="] {
            assert_eq!(base64(text).as_deref(), Some(&b"ab"[..]), "{text}");
        }
        assert_eq!(base64("%%"), None);
    }
}
