//! Rows as publishers document them, and what becomes of them.

use super::*;

fn import(format: &str, files: &[&str]) -> Result<String, BadLine> {
    let mut import = Import::new(ImportFormat::by_name(format).expect("known"));
    for file in files {
        import.learn(file)?;
    }
    let mut lines = String::new();
    for file in files {
        import.lines(file, &mut |more| lines.push_str(more))?;
    }
    Ok(lines)
}

#[test]
fn dumps_become_lines() {
    let locations = "geoname_id,locale_code,continent_code,continent_name,country_iso_code,country_name,is_in_european_union\n\
        11,en,EU,Europe,FR,France,1\n12,en,EU,Europe,,,0\n";
    let blocks = "network,geoname_id,registered_country_geoname_id,represented_country_geoname_id,is_anonymous_proxy,is_satellite_provider\n\
        192.0.2.0/24,11,12,,0,0\n198.51.100.0/24,,11,,0,1\n203.0.113.0/24,12,,,0,0\n";
    let systems =
        "network,autonomous_system_number,autonomous_system_organization\n2001:db8::/32,64500,\"Acme, Inc.\"\n";
    for (format, files, wanted) in [
        (
            "iptoasn",
            vec![
                "192.0.2.0\t192.0.2.255\t64500\tDE\tACME - \"Acme\"\n192.0.3.0\t192.0.3.255\t0\tNone\tNot routed\n2001:db8::\t2001:db8::1\t64501\tNone\tSIX\n",
            ],
            "192.0.2.0/24,64500,\"ACME - \"\"Acme\"\"\",DE,\n2001:db8::/127,64501,SIX,,\n",
        ),
        (
            "rir",
            vec![
                "2|ripencc|20260901|3|19830705|20260831|+0100\nripencc|*|ipv4|*|2|summary\n\
                 ripencc|de|ipv4|192.0.2.0|768|20200101|allocated|x-1\nripencc|NL|ipv6|2001:db8::|32|20200101|assigned|x-1\n\
                 ripencc|FR|asn|64500|1|20200101|allocated|x-1\nripencc||ipv4|203.0.113.0|256||available|\n\
                 ripencc|EU|ipv4|198.51.100.0|256|20200101|allocated|x-2\n",
            ],
            "192.0.2.0/23,,,DE,\n192.0.4.0/24,,,DE,\n2001:db8::/32,,,NL,\n",
        ),
        (
            "geolite2",
            vec![systems, blocks, locations],
            "2001:db8::/32,64500,\"Acme, Inc.\",,\n192.0.2.0/24,,,FR,\n198.51.100.0/24,,,FR,satellite\n",
        ),
        (
            "ipinfo",
            vec![
                "network,country,country_code,continent,continent_code,asn,as_name,as_domain\n192.0.2.9,Germany,DE,Europe,EU,AS64500,Acme,acme.example\n2001:db8::/32,France,FR,Europe,EU,,,\n",
            ],
            "192.0.2.9/32,64500,Acme,DE,\n2001:db8::/32,,,FR,\n",
        ),
        (
            "dbip",
            vec![
                "192.0.2.0,192.0.2.255,DE\n198.51.100.0,198.51.100.255,ZZ\n",
                "192.0.2.0,192.0.2.127,64500,\"Acme, Inc.\"\n",
            ],
            "192.0.2.0/24,,,DE,\n192.0.2.0/25,64500,\"Acme, Inc.\",,\n",
        ),
        (
            "tor",
            vec![
                "ExitNode AB12\nPublished 2026-09-01 10:00:00\nLastStatus 2026-09-01 11:00:00\nExitAddress 192.0.2.7 2026-09-01 11:10:00\n",
                "192.0.2.8\n2001:db8::8\n",
            ],
            "192.0.2.7/32,,,,tor\n192.0.2.8/32,,,,tor\n2001:db8::8/128,,,,tor\n",
        ),
        (
            "cloud",
            vec![
                r#"{"syncToken":"1","prefixes":[{"ip_prefix":"192.0.2.0/24","region":"eu"},{"ip_prefix":"192.0.2.0/24","service":"b"}],"ipv6_prefixes":[{"ipv6_prefix":"2001:db8::/32"}]}"#,
            ],
            "192.0.2.0/24,,,,hosting\n2001:db8::/32,,,,hosting\n",
        ),
    ] {
        let lines = import(format, &files).unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_eq!(lines, wanted, "{format}");
        crate::enrich::NetworkLines::default().read(&lines).unwrap_or_else(|bad| panic!("{format}: {bad:?}"));
    }
}

#[test]
fn what_does_not_fit_is_an_error_with_its_line() {
    for (format, text, line, reason) in [
        ("iptoasn", "192.0.2.0\t192.0.2.255\t64500\tDE\tA\n192.0.2.0,192.0.2.255\n", 2, "1 columns"),
        ("iptoasn", "192.0.2.9\t192.0.2.0\t64500\tDE\tA\n", 1, "192.0.2.9 to 192.0.2.0 is no range"),
        ("rir", "arin|US|ipv4|192.0.2.0|many|20200101|allocated\n", 1, "\"many\" is no number"),
        ("geolite2", "network,geoname_id\n192.0.2.0/24,99\n", 2, "geoname_id 99 is no known place"),
        ("geolite2", "192.0.2.0/24,99\n", 1, "there is no column `network`"),
        ("ipinfo", "network,asn\n192.0.2.0/24,one\n", 2, "\"one\" is no number"),
        ("dbip", "192.0.2.0,2001:db8::,DE\n", 1, "is no range of addresses"),
        ("tor", "<html> not found\n", 1, "no line of an exit list"),
        ("cloud", "{\"prefixes\": []}", 1, "there is no prefix in it"),
    ] {
        let bad = import(format, &[text]).expect_err(format);
        assert_eq!(bad.line, line, "{format}: {bad}");
        assert!(bad.to_string().contains(reason), "{format}: {bad}");
    }
}
