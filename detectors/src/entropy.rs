//! A9, entropy: texts that look drawn at random. A helper: it never alerts alone.
//!
//! `H = −Σ p log₂ p` over the characters of an unbroken piece. What is random by right (hex digests, UUIDs, signed tokens'
//! headers) is taken out first; thresholds hang on alphabet and length: base64 of 40 characters has 4.78 bits, hex 3.70, ordinary
//! command lines 4.1 to 4.5. After Shannon. Must never quote the piece: it may be a secret.

use std::any::Any;

use model::{
    Anomaly, Detector, DetectorHeld, EntropySpec, Figures, Malformed, Observation, Standing, Timestamp, to_snapshot,
};

use crate::stats::{ln, shown};

/// Hex digests and ids: 32, 40, 64, 96 and 128 characters.
const HEX_LENGTHS: [usize; 5] = [32, 40, 64, 96, 128];

/// See the module. Holds no state.
#[derive(Debug, Clone)]
pub struct Entropy {
    spec: EntropySpec,
}

/// Bits a character: Shannon's entropy of a text's characters.
pub fn entropy_bits(text: &str) -> f64 {
    let mut characters: Vec<char> = text.chars().collect();
    let n = characters.len() as f64;
    characters.sort_unstable();
    let bits = |same: &[char]| {
        let part = same.len() as f64 / n;
        -part * ln(part) / std::f64::consts::LN_2
    };
    characters.chunk_by(|a, b| a == b).map(bits).sum()
}

/// The shape of something that is random by right: a digest, a UUID, a signed token's header.
fn is_known_shape(piece: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts: Vec<usize> = piece.split('-').map(str::len).collect();
    let is_uuid = parts == [8, 4, 4, 4, 12] && piece.split('-').all(is_hex);
    is_uuid || HEX_LENGTHS.contains(&piece.len()) && is_hex(piece) || piece.starts_with("eyJ")
}

impl Entropy {
    /// With these thresholds.
    pub fn new(spec: EntropySpec) -> Entropy {
        Entropy { spec }
    }

    fn pieces<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let is_label = self.spec.is_label;
        let belongs = move |c: char| match is_label {
            true => c.is_ascii_alphanumeric() || c == '-' || c == '_',
            false => c.is_ascii_alphanumeric() || "+/=_-".contains(c),
        };
        text.split(move |c| !belongs(c)).filter(|piece| piece.len() >= self.spec.length_min).collect()
    }

    /// The piece of a text with the most bits a character above the threshold: its length and bits.
    pub fn most_random(&self, text: &str) -> Option<(usize, f64)> {
        let known = self.pieces(text).into_iter().filter(|piece| !is_known_shape(piece));
        let scored = known.map(|piece| (piece.len(), (entropy_bits(piece) * 1_000.0).round() / 1_000.0));
        scored.filter(|(_, bits)| *bits > self.spec.bits).max_by(|a, b| a.1.total_cmp(&b.1))
    }
}

impl Detector for Entropy {
    /// Its value is bits a character.
    fn observe(&mut self, observation: &Observation<'_>) -> Option<Anomaly> {
        let texts = observation.texts.first()?;
        let (length, bits) =
            texts.iter().filter_map(|text| self.most_random(text)).max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(Anomaly {
            value: bits,
            observed: format!("{length} characters without a break, {} bits each", shown(bits)),
            baseline: format!(
                "expected at most {} bits; digests, UUIDs and tokens' headers are taken out",
                self.spec.bits
            ),
            figures: Figures { observed: Some(bits), expected: Some(self.spec.bits), p: None },
            evidence: vec![observation.evidence.clone()],
            standing: Standing::Active,
        })
    }

    fn peek(&self, ahead: &mut (dyn Detector + 'static), observation: &Observation<'_>) -> Option<Anomaly> {
        (ahead as &mut dyn Any).downcast_mut::<Entropy>()?.observe(observation)
    }

    fn ahead(&self) -> Box<dyn Detector> {
        Box::new(self.clone())
    }

    fn forget_before(&mut self, _: Timestamp) {}

    fn held(&self) -> DetectorHeld {
        DetectorHeld::default()
    }

    fn snapshot(&self) -> Result<Vec<u8>, Malformed> {
        to_snapshot(&())
    }

    fn restore(&mut self, _: &[u8]) -> Result<(), Malformed> {
        Ok(())
    }
}
