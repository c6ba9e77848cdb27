//! The usual public dumps of address data, turned into lines of a network table.
//!
//! One small function a format, each from its publisher's documentation. Must never guess a format: the caller names it,
//! and a line that does not fit is an error.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use rustc_hash::FxHashMap;

use super::line::{BadLine, Wrong, asn_of, country_of, prefix_of, records};

/// A public dump that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportFormat {
    /// iptoasn.com: tab-separated ranges with number, country and description of the autonomous system.
    IpToAsn,
    /// The registries' `delegated` statistics: ranges with countries.
    Rir,
    /// MaxMind GeoLite2 CSV: ASN blocks, country blocks and their locations, told by their headers.
    GeoLite2,
    /// IPinfo Lite CSV: networks with country and autonomous system.
    IpInfo,
    /// DB-IP Lite CSV: ranges with country, or with number and name of the autonomous system.
    DbIp,
    /// Tor's exit list, or one address a line.
    Tor,
    /// JSON of a cloud provider's address ranges (AWS, Google, Azure, Oracle …): every prefix in it, as hosting.
    Cloud,
}

impl ImportFormat {
    /// All of them, by name.
    pub const ALL: [(&'static str, ImportFormat); 7] = [
        ("iptoasn", ImportFormat::IpToAsn),
        ("rir", ImportFormat::Rir),
        ("geolite2", ImportFormat::GeoLite2),
        ("ipinfo", ImportFormat::IpInfo),
        ("dbip", ImportFormat::DbIp),
        ("tor", ImportFormat::Tor),
        ("cloud", ImportFormat::Cloud),
    ];

    /// The format of that name.
    pub fn by_name(name: &str) -> Option<ImportFormat> {
        ImportFormat::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, format)| format)
    }
}

/// One import: files of one format, and what they say of each other.
#[derive(Debug)]
pub struct Import {
    format: ImportFormat,
    /// GeoLite2: geoname id → country.
    countries: FxHashMap<String, String>,
}

/// What a line says, in the columns of a network table, without the prefixes.
#[derive(Debug, Default)]
struct Said {
    prefixes: Vec<IpNet>,
    asn: Option<u32>,
    organisation: String,
    country: Option<String>,
    proxy: &'static str,
}

impl Import {
    /// An import of files of one format.
    pub fn new(format: ImportFormat) -> Import {
        Import { format, countries: FxHashMap::default() }
    }

    /// Takes from a file what the lines of others need. Every file goes through here before any goes through
    /// [`Import::lines`].
    ///
    /// # Errors
    /// The line that is wrong.
    pub fn learn(&mut self, text: &str) -> Result<(), BadLine> {
        if self.format != ImportFormat::GeoLite2 {
            return Ok(());
        }
        let mut lines = records(text, b',');
        let header = lines.next().transpose()?.map(|(_, header)| header).unwrap_or_default();
        let (Some(id), Some(country)) = (column(&header, "geoname_id"), column(&header, "country_iso_code")) else {
            return Ok(());
        };
        for record in lines {
            let (_, columns) = record?;
            self.countries.insert(text_at(&columns, Some(id)).to_owned(), text_at(&columns, Some(country)).to_owned());
        }
        Ok(())
    }

    /// Gives a network table's lines, with their line ends, for a file.
    ///
    /// # Errors
    /// The line that is wrong.
    pub fn lines(&self, text: &str, told: &mut impl FnMut(&str)) -> Result<(), BadLine> {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        let mut tell = |said: Said| {
            let asn = said.asn.map_or_else(String::new, |asn| asn.to_string());
            let country = said.country.unwrap_or_default();
            if asn.is_empty() && said.organisation.is_empty() && country.is_empty() && said.proxy.is_empty() {
                return;
            }
            for prefix in said.prefixes {
                // Writing into memory fails for nothing but want of memory.
                let _ = writer.write_record([&prefix.to_string(), &asn, &said.organisation, &country, said.proxy]);
            }
        };
        match self.format {
            ImportFormat::IpToAsn => each(text, b'\t', &mut tell, ip_to_asn)?,
            ImportFormat::Rir => each(text, b'|', &mut tell, rir)?,
            ImportFormat::DbIp => each(text, b',', &mut tell, db_ip)?,
            ImportFormat::Tor => each(text, b' ', &mut tell, tor)?,
            ImportFormat::Cloud => tell(cloud(text)?),
            ImportFormat::IpInfo | ImportFormat::GeoLite2 => self.with_header(text, &mut tell)?,
        }
        let written = writer.into_inner().unwrap_or_default();
        told(&String::from_utf8_lossy(&written));
        Ok(())
    }

    /// Files whose first line names the columns.
    fn with_header(&self, text: &str, tell: &mut impl FnMut(Said)) -> Result<(), BadLine> {
        let mut header: Option<Vec<String>> = None;
        each(text, b',', tell, |columns| {
            let Some(header) = &header else {
                header = Some(columns.to_vec());
                return match self.format {
                    ImportFormat::GeoLite2 if column(columns, "country_iso_code").is_some() => Ok(None),
                    _ if column(columns, "network").is_some() => Ok(None),
                    _ => Err(("there is no column `network`".to_owned(), "the file with its header".to_owned())),
                };
            };
            let named = |name: &str| text_at(columns, column(header, name));
            if column(header, "network").is_none() {
                return Ok(None);
            }
            if self.format == ImportFormat::IpInfo { ip_info(&named) } else { self.geo_lite2(&named) }
        })
    }

    fn geo_lite2<'c>(&self, named: &impl Fn(&str) -> &'c str) -> Result<Option<Said>, Wrong> {
        // The country where the network is used; else the one where it is registered.
        let ids = [named("geoname_id"), named("registered_country_geoname_id")];
        let country = match ids.iter().find(|id| !id.is_empty()) {
            None => None,
            Some(id) => match self.countries.get(*id) {
                None => {
                    let hint = "name the …-Locations-en.csv of the same download, too";
                    return Err((format!("geoname_id {id} is no known place"), hint.to_owned()));
                }
                Some(country) => country_of(country)?,
            },
        };
        let proxy = if named("is_satellite_provider") == "1" { "satellite" } else { "" };
        Ok(Some(Said {
            prefixes: vec![prefix_of(named("network"))?],
            asn: asn_of(named("autonomous_system_number"))?,
            organisation: named("autonomous_system_organization").to_owned(),
            country,
            proxy,
        }))
    }
}

fn column(header: &[String], name: &str) -> Option<usize> {
    header.iter().position(|column| column == name)
}

fn text_at(columns: &[String], at: Option<usize>) -> &str {
    at.and_then(|at| columns.get(at)).map_or("", String::as_str)
}

/// Reads each line of a file; None: it says nothing about addresses.
fn each(
    text: &str,
    separator: u8,
    tell: &mut impl FnMut(Said),
    mut read: impl FnMut(&[String]) -> Result<Option<Said>, Wrong>,
) -> Result<(), BadLine> {
    for record in records(text, separator) {
        let (line, columns) = record?;
        let said = read(&columns).map_err(|(reason, hint)| BadLine::new(line, reason, hint))?;
        said.into_iter().for_each(&mut *tell);
    }
    Ok(())
}

/// `first  last  asn  country  description`; 0, `None` and `Not routed` where nothing is announced.
fn ip_to_asn(columns: &[String]) -> Result<Option<Said>, Wrong> {
    let [first, last, asn, country, organisation] = columns else {
        return Err((format!("{} columns", columns.len()), "first, last, asn, country, description".to_owned()));
    };
    let Some(asn) = asn_of(asn)? else { return Ok(None) };
    let country = if country == "None" { None } else { country_of(country)? };
    let prefixes = between(first, last)?;
    Ok(Some(Said { prefixes, asn: Some(asn), organisation: organisation.clone(), country, proxy: "" }))
}

/// `registry|cc|type|start|value|date|status[|…]`: IPv4 counts addresses, IPv6 gives the length of the prefix.
fn rir(columns: &[String]) -> Result<Option<Said>, Wrong> {
    let [_, country, kind, start, value, _, status, ..] = columns else { return Ok(None) };
    // The first line holds the version where others have the registry, and numbers where they have a status.
    if !["allocated", "assigned"].contains(&status.as_str()) {
        return Ok(None);
    }
    let number = || value.parse::<u32>().map_err(|_| (format!("{value:?} is no number"), "a count or a length".into()));
    let prefixes = match kind.as_str() {
        "ipv4" => {
            let first: std::net::Ipv4Addr =
                start.parse().map_err(|_| (format!("{start:?} is no address"), "like 192.0.2.0".to_owned()))?;
            let last = number()?.checked_sub(1).and_then(|more| u32::from(first).checked_add(more));
            let last = last.ok_or_else(|| (format!("{value} addresses do not fit"), "a count above 0".to_owned()))?;
            Ipv4Subnets::new(first, last.into(), 0).map(IpNet::V4).collect()
        }
        "ipv6" => vec![prefix_of(&format!("{start}/{value}"))?],
        _ => return Ok(None),
    };
    // Where several countries share a range the registries write ZZ, AP or EU: none of them is a country.
    let country = if ["ZZ", "AP", "EU", ""].contains(&country.as_str()) { None } else { country_of(country)? };
    Ok(Some(Said { prefixes, country, ..Said::default() }))
}

/// `first,last,country` or `first,last,asn,name`. ZZ stands for no country.
fn db_ip(columns: &[String]) -> Result<Option<Said>, Wrong> {
    match columns {
        [first, last, country] => {
            let country = if country == "ZZ" { None } else { country_of(country)? };
            Ok(Some(Said { prefixes: between(first, last)?, country, ..Said::default() }))
        }
        [first, last, asn, organisation] => {
            let prefixes = between(first, last)?;
            Ok(Some(Said { prefixes, asn: asn_of(asn)?, organisation: organisation.clone(), ..Said::default() }))
        }
        _ => Err((format!("{} columns", columns.len()), "first,last,country or first,last,asn,name".to_owned())),
    }
}

fn ip_info<'c>(named: &impl Fn(&str) -> &'c str) -> Result<Option<Said>, Wrong> {
    // Older files have the code under `country`, newer ones there the name.
    let country = if named("country_code").is_empty() { named("country") } else { named("country_code") };
    Ok(Some(Said {
        prefixes: vec![prefix_of(named("network"))?],
        asn: asn_of(named("asn"))?,
        organisation: named("as_name").to_owned(),
        country: country_of(country)?,
        proxy: "",
    }))
}

/// `ExitAddress ADDRESS DATE TIME` among other lines of a relay, or an address alone.
fn tor(columns: &[String]) -> Result<Option<Said>, Wrong> {
    let address = match columns {
        [alone] => alone,
        [word, address, ..] if word == "ExitAddress" => address,
        [word, ..] if ["ExitNode", "Published", "LastStatus"].contains(&word.as_str()) => return Ok(None),
        _ => return Err(("no line of an exit list".to_owned(), "ExitAddress 192.0.2.1 …, or an address".to_owned())),
    };
    Ok(Some(Said { prefixes: vec![prefix_of(address)?], proxy: "tor", ..Said::default() }))
}

/// Every text in the document that is a prefix: the providers agree on nothing but that.
fn cloud(text: &str) -> Result<Said, BadLine> {
    let document: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| BadLine::new(error.line() as u64, error.to_string(), "the provider's JSON as it is"))?;
    let (mut prefixes, mut left) = (Vec::new(), vec![&document]);
    while let Some(value) = left.pop() {
        match value {
            serde_json::Value::String(text) => prefixes.extend(text.parse::<IpNet>().ok().map(|prefix| prefix.trunc())),
            serde_json::Value::Array(items) => left.extend(items),
            serde_json::Value::Object(members) => left.extend(members.values()),
            _ => {}
        }
    }
    if prefixes.is_empty() {
        return Err(BadLine::new(1, "there is no prefix in it", "a provider's published address ranges"));
    }
    prefixes.sort();
    prefixes.dedup();
    Ok(Said { prefixes, proxy: "hosting", ..Said::default() })
}

/// The prefixes that make up a range, both ends in it.
fn between(first: &str, last: &str) -> Result<Vec<IpNet>, Wrong> {
    let wrong =
        || (format!("{first} to {last} is no range of addresses"), "two addresses of one kind, in order".into());
    match (first.parse(), last.parse()) {
        (Ok(IpAddr::V4(first)), Ok(IpAddr::V4(last))) if first <= last => {
            Ok(Ipv4Subnets::new(first, last, 0).map(IpNet::V4).collect())
        }
        (Ok(IpAddr::V6(first)), Ok(IpAddr::V6(last))) if first <= last => {
            Ok(Ipv6Subnets::new(first, last, 0).map(IpNet::V6).collect())
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
