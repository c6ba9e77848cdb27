//! The network table: what is known of an address (autonomous system, organisation, country, kind of proxy) by its prefix.
//!
//! Each column takes the longest prefix that says something in it, so tables that know one column each can simply stand
//! behind one another. Nested prefixes are laid flat when the table is made: a look-up is one binary search. Must never
//! answer with a guess: an address outside of every prefix is unknown.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use rustc_hash::FxHashMap;

use super::line::{BadLine, Wrong, asn_of, country_of, prefix_of, records};

/// Columns of a table's lines, in their order.
pub const HEADER: [&str; 5] = ["prefix", "asn", "organisation", "country", "proxy"];

/// Kinds of proxy, as the model names them.
pub const PROXIES: [&str; 7] = ["none", "vpn", "hosting", "tor", "relay", "satellite", "mobile"];

/// More bad lines than this are not told one by one.
const BAD_LINES_MAX: usize = 20;

/// What is known of an address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Network {
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Name of the autonomous system or of its owner.
    pub organisation: Option<Arc<str>>,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: Option<Arc<str>>,
    /// One of [`PROXIES`].
    pub proxy: Option<&'static str>,
}

impl Network {
    /// This, and what `wider` knows beyond it.
    fn within(&self, wider: &Network) -> Network {
        Network {
            asn: self.asn.or(wider.asn),
            organisation: self.organisation.clone().or_else(|| wider.organisation.clone()),
            country: self.country.clone().or_else(|| wider.country.clone()),
            proxy: self.proxy.or(wider.proxy),
        }
    }
}

/// Prefixes on their way into a table.
#[derive(Debug, Default)]
pub struct NetworkLines {
    v4: Vec<Prefix>,
    v6: Vec<Prefix>,
}

#[derive(Debug)]
struct Prefix {
    first: u128,
    last: u128,
    network: Network,
}

impl NetworkLines {
    /// Adds the lines of a file: `prefix,asn,organisation,country,proxy`, as CSV (RFC 4180). Empty columns are unknown; `#`
    /// begins a comment line; the header may stand anywhere. Of two lines for one prefix the later wins, column by column.
    ///
    /// # Errors
    /// The first [`BAD_LINES_MAX`] lines that are wrong.
    pub fn read(&mut self, text: &str) -> Result<(), Vec<BadLine>> {
        let mut bad = Vec::new();
        let mut names = FxHashMap::default();
        for record in records(text, b',') {
            let parsed = record.and_then(|(line, columns)| {
                if columns == HEADER {
                    return Ok(None);
                }
                parse(&columns, &mut names).map(Some).map_err(|(reason, hint)| BadLine::new(line, reason, hint))
            });
            match parsed {
                Ok(Some((prefix, network))) => self.add(prefix, network),
                Ok(None) => {}
                Err(line) => bad.push(line),
            }
            if bad.len() == BAD_LINES_MAX {
                break;
            }
        }
        if bad.is_empty() { Ok(()) } else { Err(bad) }
    }

    /// Adds a prefix.
    pub fn add(&mut self, prefix: IpNet, network: Network) {
        match prefix {
            IpNet::V4(net) => {
                let (first, last) = (u32::from(net.network()), u32::from(net.broadcast()));
                self.v4.push(Prefix { first: first.into(), last: last.into(), network });
            }
            IpNet::V6(net) => {
                self.v6.push(Prefix { first: net.network().into(), last: net.broadcast().into(), network });
            }
        }
    }

    /// The table.
    pub fn table(self) -> NetworkTable {
        let mut known = Known::default();
        let v4 = flat(self.v4, &mut known);
        let v6 = flat(self.v6, &mut known);
        // Behind the last address of all begins a range of IPv6's size: it is the last, and no address of IPv4 is in it.
        let starts: Vec<u32> = v4.starts.into_iter().map_while(|start| u32::try_from(start).ok()).collect();
        let v4 = Ranges { starts, places: v4.places };
        NetworkTable { v4, v6, networks: known.networks }
    }
}

/// A network table ready to be asked.
#[derive(Debug, Default)]
pub struct NetworkTable {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
    /// Each different answer once.
    networks: Vec<Network>,
}

/// Neighbouring ranges: each begins at its start and ends before the next one's.
#[derive(Debug, Default)]
struct Ranges<T> {
    starts: Vec<T>,
    places: Vec<u32>,
}

/// The place of a range of which nothing is known.
const NOWHERE: u32 = u32::MAX;

impl<T: Ord> Ranges<T> {
    fn place(&self, address: T) -> Option<u32> {
        let at = self.starts.partition_point(|start| *start <= address).checked_sub(1)?;
        self.places.get(at).copied().filter(|&place| place != NOWHERE)
    }
}

impl NetworkTable {
    /// What is known of an address; None: it stands in no prefix. IPv4 inside IPv6 (`::ffff:192.0.2.1`) counts as IPv4.
    pub fn find(&self, address: IpAddr) -> Option<&Network> {
        let place = match address.to_canonical() {
            IpAddr::V4(address) => self.v4.place(address.into()),
            IpAddr::V6(address) => self.v6.place(address.into()),
        };
        self.networks.get(place? as usize)
    }

    /// Number of ranges it was laid flat to.
    pub fn len(&self) -> usize {
        self.v4.starts.len() + self.v6.starts.len()
    }

    /// It knows nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[derive(Default)]
struct Known {
    networks: Vec<Network>,
    places: FxHashMap<Network, u32>,
}

impl Known {
    fn place(&mut self, network: &Network) -> u32 {
        if let Some(&place) = self.places.get(network) {
            return place;
        }
        let place = self.networks.len() as u32;
        self.networks.push(network.clone());
        self.places.insert(network.clone(), place);
        place
    }
}

/// Lays nested prefixes flat. Prefixes either nest or are apart, so those that hold the current address are a stack.
fn flat(mut prefixes: Vec<Prefix>, known: &mut Known) -> Ranges<u128> {
    // Wider first; equal ones stay in the order of their lines.
    prefixes.sort_by(|a, b| a.first.cmp(&b.first).then(b.last.cmp(&a.last)));
    let mut ranges = Ranges::default();
    let mut open: Vec<(u128, u32)> = Vec::new();
    for prefix in &prefixes {
        close(&mut ranges, &mut open, Some(prefix.first));
        let wider = open.last().and_then(|(_, place)| known.networks.get(*place as usize));
        let network = wider.map_or_else(|| prefix.network.clone(), |wider| prefix.network.within(wider));
        let place = known.place(&network);
        begin(&mut ranges, prefix.first, place);
        open.push((prefix.last, place));
    }
    close(&mut ranges, &mut open, None);
    ranges
}

/// Ends the prefixes that end before an address; None: all.
fn close(ranges: &mut Ranges<u128>, open: &mut Vec<(u128, u32)>, before: Option<u128>) {
    while let Some(&(last, _)) = open.last()
        && before.is_none_or(|before| last < before)
    {
        open.pop();
        if let Some(next) = last.checked_add(1) {
            begin(ranges, next, open.last().map_or(NOWHERE, |(_, place)| *place));
        }
    }
}

fn begin(ranges: &mut Ranges<u128>, start: u128, place: u32) {
    if let (Some(last), Some(at)) = (ranges.starts.last(), ranges.places.last_mut())
        && *last == start
    {
        *at = place;
    } else if ranges.places.last() != Some(&place) {
        ranges.starts.push(start);
        ranges.places.push(place);
    }
}

/// A text once, however many lines have it.
type Names = FxHashMap<String, Arc<str>>;

fn parse(columns: &[String], names: &mut Names) -> Result<(IpNet, Network), Wrong> {
    let [prefix, asn, organisation, country, proxy] = columns else {
        return Err((format!("{} columns", columns.len()), HEADER.join(",")));
    };
    let proxy = match proxy.as_str() {
        "" => None,
        given => Some(
            PROXIES
                .iter()
                .copied()
                .find(|kind| *kind == given)
                .ok_or_else(|| (format!("proxy {given:?} is unknown"), PROXIES.join(", ")))?,
        ),
    };
    let network = Network {
        asn: asn_of(asn)?,
        organisation: (!organisation.is_empty()).then(|| name(names, organisation)),
        country: country_of(country)?.map(|country| name(names, &country)),
        proxy,
    };
    Ok((prefix_of(prefix)?, network))
}

fn name(names: &mut Names, text: &str) -> Arc<str> {
    if let Some(known) = names.get(text) {
        return known.clone();
    }
    let known: Arc<str> = text.into();
    names.insert(text.to_owned(), known.clone());
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> NetworkTable {
        let mut lines = NetworkLines::default();
        lines.read(text).expect("good lines");
        lines.table()
    }

    fn told(table: &NetworkTable, address: &str) -> String {
        let Some(found) = table.find(address.parse().expect("an address")) else { return "nothing".to_owned() };
        let text = |of: &Option<Arc<str>>| of.as_deref().unwrap_or("-").to_owned();
        let asn = found.asn.map_or_else(|| "-".to_owned(), |asn| asn.to_string());
        format!("{asn} {} {} {}", text(&found.organisation), text(&found.country), found.proxy.unwrap_or("-"))
    }

    #[test]
    fn each_column_takes_the_longest_prefix_that_says_something_in_it() {
        let table = table(
            "prefix,asn,organisation,country,proxy\n\
             198.51.0.0/16,64500,\"Acme, Inc.\",DE,\n\
             # one host of it\n\
             198.51.100.7,,,,tor\n\
             198.51.100.0/24,64501,,,\n\
             198.51.255.0/24,,,FR,\n\
             2001:db8::/32,AS64502,Six,nl,none\n\
             2001:db8:1::/48,,,,vpn\n\
             255.255.255.255/32,64503,,,\n",
        );
        for (address, wanted) in [
            ("198.50.255.255", "nothing"),
            ("198.51.0.0", "64500 Acme, Inc. DE -"),
            ("198.51.100.6", "64501 Acme, Inc. DE -"),
            ("198.51.100.7", "64501 Acme, Inc. DE tor"),
            ("198.51.100.8", "64501 Acme, Inc. DE -"),
            ("198.51.101.0", "64500 Acme, Inc. DE -"),
            ("198.51.255.255", "64500 Acme, Inc. FR -"),
            ("198.52.0.0", "nothing"),
            ("255.255.255.255", "64503 - - -"),
            ("::ffff:198.51.100.7", "64501 Acme, Inc. DE tor"),
            ("2001:db8::1", "64502 Six NL none"),
            ("2001:db8:1::1", "64502 Six NL vpn"),
            ("2001:db8:2::", "64502 Six NL none"),
            ("2001:db9::", "nothing"),
        ] {
            assert_eq!(told(&table, address), wanted, "{address}");
        }
    }

    #[test]
    fn tables_behind_one_another_are_one_and_the_later_line_wins() {
        let table = table("192.0.2.0/24,64500,A,,\nprefix,asn,organisation,country,proxy\n192.0.2.0/24,64501,,US,\n");
        assert_eq!(told(&table, "192.0.2.9"), "64501 A US -");
    }

    #[test]
    fn bad_lines_are_all_told_with_their_numbers() {
        let text = "192.0.2.0/24,1,,DE,\n192.0.2.1/24,,,,\nhost,,,,\n192.0.2.0/24,x,,,\n\n192.0.2.0/24,,,DEU,\n192.0.2.0/24,,,,proxy\na,b\n";
        let bad = NetworkLines::default().read(text).expect_err("bad lines");
        let told: Vec<String> = bad.iter().map(ToString::to_string).collect();
        assert_eq!(bad.iter().map(|bad| bad.line).collect::<Vec<_>>(), [2, 3, 4, 6, 7, 8], "{told:#?}");
        assert_eq!(
            told[0],
            "line 2: 192.0.2.1/24 names an address inside of a prefix (hint: the prefix is 192.0.2.0/24)"
        );
    }

    /// Against the slow way: every prefix looked at for every address.
    #[test]
    fn a_flat_table_answers_like_nested_prefixes() {
        let mut lines = NetworkLines::default();
        let mut all: Vec<(IpNet, u32)> = Vec::new();
        let mut state = 7u32;
        for asn in 1..400 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let length = 8 + (state >> 8) % 25;
            let address = std::net::Ipv4Addr::from(0x0a00_0000 | (state & 0x000f_ffff));
            let prefix = IpNet::new(address.into(), length as u8).expect("a prefix").trunc();
            lines.add(prefix, Network { asn: Some(asn), ..Network::default() });
            all.push((prefix, asn));
        }
        let table = lines.table();
        for step in 0..40_000u32 {
            let address = IpAddr::from(std::net::Ipv4Addr::from(0x09ff_fff0 + step * 27));
            let slow = all.iter().filter(|(prefix, _)| prefix.contains(&address));
            let slow = slow.max_by_key(|(prefix, asn)| (prefix.prefix_len(), *asn)).map(|(_, asn)| *asn);
            assert_eq!(table.find(address).and_then(|network| network.asn), slow, "{address}");
        }
    }
}
