//! Which detectors there are, with their parameters: what a rule says and a detector is made of.
//!
//! Plain data with the defaults that were measured. Must never hold what is learned.

/// Which detector, with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum DetectorSpec {
    /// A tuple of texts that is new to its first member.
    FirstSeen(FirstSeenSpec),
    /// Kilometres an hour since the last event of a key.
    GeoVelocity(GeoVelocitySpec),
    /// The fading sum of what several rules say of one key.
    Risk(RiskSpec),
    /// More in an hour than such hours hold.
    Counts(CountsSpec),
    /// A job unlike the jobs of its kind.
    PeerZ(PeerZSpec),
    /// A rate that crept up.
    Cusum(CusumSpec),
    /// Runs that take longer than they did.
    Duration(DurationSpec),
    /// More bad ones of all than there used to be.
    Ratio(RatioSpec),
    /// Connections like clockwork.
    Beacon(BeaconSpec),
    /// Texts that look drawn at random.
    Entropy(EntropySpec),
    /// Another mix of operations.
    Mix(MixSpec),
    /// Nothing where much should be.
    Silence(SilenceSpec),
}

impl DetectorSpec {
    /// What it shares with others that learn by bucket. None: it does not.
    pub fn frame(&self) -> Option<&Frame> {
        match self {
            DetectorSpec::Counts(of) => Some(&of.frame),
            DetectorSpec::PeerZ(of) => Some(&of.frame),
            DetectorSpec::Cusum(of) => Some(&of.frame),
            DetectorSpec::Duration(of) => Some(&of.frame),
            DetectorSpec::Ratio(of) => Some(&of.frame),
            DetectorSpec::Beacon(of) => Some(&of.frame),
            DetectorSpec::Mix(of) => Some(&of.frame),
            DetectorSpec::Silence(of) => Some(&of.frame),
            DetectorSpec::FirstSeen(_)
            | DetectorSpec::GeoVelocity(_)
            | DetectorSpec::Risk(_)
            | DetectorSpec::Entropy(_) => None,
        }
    }
}

/// What detectors that learn by bucket share. Observations of these begin with four fields: the key, the groups of its peers from
/// near to far, what contributed, and an amount (a whole number; none: 1); what follows, each states.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Milliseconds from a bucket's start to the next; buckets begin at whole multiples of it since 1970.
    pub bucket_ms: i64,
    /// A key without events for so many milliseconds is forgotten.
    pub memory_ms: i64,
    /// Milliseconds from when a key is warm until what it shows is told.
    pub shadow_ms: i64,
    /// Remarkable buckets are not learned for so many milliseconds at most, then they are the norm.
    pub freeze_max_ms: i64,
    /// Announced periods do not keep it from being told (they are not learned either way): credentials, integrity.
    pub never_suppress: bool,
}

/// Milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// Milliseconds.
const DAY_MS: i64 = 24 * HOUR_MS;

impl Default for Frame {
    fn default() -> Frame {
        Frame {
            bucket_ms: HOUR_MS,
            memory_ms: 60 * DAY_MS,
            shadow_ms: 0,
            freeze_max_ms: 3 * DAY_MS,
            never_suppress: false,
        }
    }
}

/// Observations: the four of [`Frame`], then the exposure that an event adds (runs, say; none: 0).
#[derive(Debug, Clone, PartialEq)]
pub struct CountsSpec {
    /// See there.
    pub frame: Frame,
    /// Remarkable below this probability.
    pub p: f64,
    /// Fewer in a bucket are never remarkable.
    pub count_min: u64,
    /// Counts are modelled for each unit of exposure.
    pub has_exposure: bool,
    /// Time zone of the slots as POSIX writes it (`CET-1CEST,M3.5.0,M10.5.0/3`): rules, no table of zones.
    pub zone: String,
}

impl Default for CountsSpec {
    fn default() -> CountsSpec {
        CountsSpec { frame: Frame::default(), p: 1e-5, count_min: 5, has_exposure: false, zone: "UTC0".to_owned() }
    }
}

/// Observations: key (the job's narrow group), peers (wider groups), contributor, amount (not read), then each feature's number.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerZSpec {
    /// See there.
    pub frame: Frame,
    /// In the order of the observation.
    pub features: Vec<Feature>,
    /// One feature so many deviations off is remarkable.
    pub z_one: f64,
    /// So are two, each so many.
    pub z_two: f64,
    /// Jobs that a group must hold, else the next wider is asked.
    pub jobs_min: usize,
}

/// One number of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// Its name, for the person who reads.
    pub name: String,
    /// Compared as ln(1 + x).
    pub is_log: bool,
    /// Too little is as remarkable as too much.
    pub is_two_sided: bool,
    /// The least deviation that is believed, on the compared scale.
    pub floor: f64,
}

/// Observations: the four of [`Frame`], then exposure (Poisson), or `true` where a trial went bad (Bernoulli).
#[derive(Debug, Clone, PartialEq)]
pub struct CusumSpec {
    /// See there.
    pub frame: Frame,
    /// What is drawn.
    pub draw: Draw,
    /// The change that is looked for: the rate so many times the old one.
    pub ratio: f64,
    /// Buckets (trials) between false alarms, at least.
    pub run_length: f64,
    /// See [`CountsSpec::zone`].
    pub zone: String,
}

/// What a CUSUM sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draw {
    /// Counts in buckets.
    Poisson,
    /// Trials that go well or badly.
    Bernoulli,
}

impl Default for CusumSpec {
    fn default() -> CusumSpec {
        CusumSpec {
            frame: Frame { freeze_max_ms: DAY_MS, ..Frame::default() },
            draw: Draw::Poisson,
            ratio: 2.0,
            run_length: 1_000.0,
            zone: "UTC0".to_owned(),
        }
    }
}

/// Observations: the four of [`Frame`] (amount not read), then the duration in milliseconds, of runs that succeeded.
#[derive(Debug, Clone, PartialEq)]
pub struct DurationSpec {
    /// See there.
    pub frame: Frame,
    /// Deviations of slack, k.
    pub slack: f64,
    /// Alarm above so many deviations, h.
    pub threshold: f64,
    /// The last 20 against the 200 before, below this probability.
    pub p: f64,
    /// Runs before the first judgement.
    pub runs_min: usize,
}

impl Default for DurationSpec {
    fn default() -> DurationSpec {
        DurationSpec { frame: Frame::default(), slack: 0.5, threshold: 8.0, p: 1e-3, runs_min: 50 }
    }
}

/// Observations: the four of [`Frame`] (amount: trials), then `true` where they were bad.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioSpec {
    /// See there.
    pub frame: Frame,
    /// Remarkable below this probability.
    pub p: f64,
    /// Fewer bad ones in a bucket are never remarkable.
    pub bad_min: u64,
    /// Days of history that count.
    pub days: usize,
    /// Trials that the history must hold, else the peers' is taken.
    pub trials_min: u64,
}

impl Default for RatioSpec {
    fn default() -> RatioSpec {
        RatioSpec { frame: Frame::default(), p: 1e-5, bad_min: 3, days: 14, trials_min: 50 }
    }
}

/// Observations: key (runner and destination), peers (the destination), contributor (the job), amount (bytes), then the runner.
#[derive(Debug, Clone, PartialEq)]
pub struct BeaconSpec {
    /// See there.
    pub frame: Frame,
    /// Remarkable from this score on, 0 to 1.15.
    pub score_min: f64,
    /// Fewer connections are never remarkable.
    pub connections_min: usize,
    /// Known by a greater part of the runners is never remarkable, 0 to 1.
    pub prevalence_max: f64,
}

impl Default for BeaconSpec {
    fn default() -> BeaconSpec {
        BeaconSpec { frame: Frame::default(), score_min: 0.8, connections_min: 8, prevalence_max: 0.1 }
    }
}

/// Observations: the text.
#[derive(Debug, Clone, PartialEq)]
pub struct EntropySpec {
    /// Shorter unbroken pieces say nothing.
    pub length_min: usize,
    /// More bits a character are remarkable.
    pub bits: f64,
    /// Pieces are labels of a domain name (letters, digits, `-`), not of base64.
    pub is_label: bool,
}

/// Observations: the four of [`Frame`], then the class of operation.
#[derive(Debug, Clone, PartialEq)]
pub struct MixSpec {
    /// See there.
    pub frame: Frame,
    /// Remarkable below this probability …
    pub p: f64,
    /// … and above this divergence (Jensen and Shannon's, in bits) …
    pub divergence: f64,
    /// … of at least so many operations.
    pub count_min: u64,
    /// Operations that the baseline must hold, over a week.
    pub baseline_min: u64,
}

impl Default for MixSpec {
    fn default() -> MixSpec {
        MixSpec { frame: Frame::default(), p: 1e-6, divergence: 0.3, count_min: 50, baseline_min: 500 }
    }
}

/// Observations: the four of [`Frame`].
#[derive(Debug, Clone, PartialEq)]
pub struct SilenceSpec {
    /// See there; buckets are its resolution.
    pub frame: Frame,
    /// Remarkable below this probability.
    pub p: f64,
    /// Shorter silences are never remarkable.
    pub silence_min_ms: i64,
    /// See [`CountsSpec::zone`].
    pub zone: String,
}

impl Default for SilenceSpec {
    fn default() -> SilenceSpec {
        SilenceSpec {
            frame: Frame { bucket_ms: HOUR_MS / 6, ..Frame::default() },
            p: 1e-6,
            silence_min_ms: HOUR_MS / 6,
            zone: "UTC0".to_owned(),
        }
    }
}

/// Observations hold the tuple's fields in order, then `prevalence_over`.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstSeenSpec {
    /// Names of the tuple's fields, at least one. The first is the key that learns (a single field belongs to one key for
    /// all); the last is the term whose prevalence counts.
    pub fields: Vec<String>,
    /// A tuple is known for so many milliseconds after it was last seen.
    pub memory_ms: i64,
    /// The term is known with fewer values of this field than the number.
    pub prevalence: Option<(String, u64)>,
    /// Events of the key that must have come before.
    pub warmup_events: u64,
    /// Milliseconds that must have passed since the key's first event.
    pub warmup_ms: i64,
    /// No more than this part of what comes is new, 0 to 1.
    pub novelty_max: Option<f64>,
    /// A tuple is known so many milliseconds after it was first seen.
    pub quarantine_ms: i64,
}

/// Observations hold the key, latitude, longitude (degrees), the kind of proxy (`none` or missing: none) and, if it is known,
/// the radius in kilometres that the place is known to.
#[derive(Debug, Clone, PartialEq)]
pub struct GeoVelocitySpec {
    /// Name of the key's field.
    pub key: String,
}

/// Observations hold the key as one text, the name of what holds as [`RiskSpec::weights`] has it, and the event's class.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskSpec {
    /// What is older than so many milliseconds adds nothing.
    pub span_ms: i64,
    /// After so many milliseconds a weight counts half. None: it does not fade.
    pub half_life_ms: Option<i64>,
    /// A rule counts once, with the greatest of what it adds.
    pub is_capped: bool,
    /// Fewer rules that add something are nothing.
    pub rules_min: u64,
    /// Fewer classes of events are nothing.
    pub classes_min: u64,
    /// What each rule adds, by its name; 0 or more.
    pub weights: Vec<(String, f64)>,
}
