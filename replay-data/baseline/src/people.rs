//! Who acts: 120 people of 24 teams, and the bots. Also where they sit: all addresses are of documentation and
//! benchmarking networks.

use crate::rng::Rng;

/// A person or a bot.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Immutable id.
    pub id: i64,
    /// Login.
    pub login: String,
    /// It is a program.
    pub bot: bool,
    /// Index of the team; bots belong to the platform team.
    pub team: usize,
    /// Address at work.
    pub office_ip: String,
    /// Address at home.
    pub home_ip: String,
    /// Id of the token that the person's git uses.
    pub token: String,
    /// The first hour of work, UTC.
    pub from_hour: i64,
}

/// People of a team.
pub const TEAM_SIZE: usize = 5;
/// All people.
pub const PEOPLE: usize = 24 * TEAM_SIZE;

/// Index of the bot that updates dependencies.
pub const UPDATES: usize = PEOPLE;
/// Index of the bot that tags releases.
pub const RELEASES: usize = PEOPLE + 1;
/// Index of the autoscaler of runners.
pub const SCALER: usize = PEOPLE + 2;
/// Index of the code host's own bot.
pub const ACTIONS: usize = PEOPLE + 3;
/// Index of the bot that rolls templates out.
pub const TEMPLATES: usize = PEOPLE + 4;
/// Index of the bot that mirrors repositories.
pub const MIRROR: usize = PEOPLE + 5;
/// Index of the second autoscaler, which came in the middle of the month.
pub const SCALER_NEXT: usize = PEOPLE + 6;

const BOTS: [(&str, i64, &str); 7] = [
    ("depkeeper[bot]", 41_001, "203.0.113.70"),
    ("release-train[bot]", 41_002, "203.0.113.71"),
    ("runner-scaler[bot]", 41_003, "203.0.113.9"),
    ("github-actions[bot]", 41_898, "203.0.113.72"),
    ("template-roll[bot]", 41_005, "203.0.113.73"),
    ("mirror-index[bot]", 41_006, "203.0.113.74"),
    ("runner-scaler-2[bot]", 41_007, "203.0.113.10"),
];

const NAMES: [&str; 24] = [
    "ada", "bruno", "carla", "dmitri", "elif", "farah", "goran", "hana", "ines", "jonas", "kaja", "leon", "mira",
    "noor", "olga", "pavel", "quentin", "rosa", "sven", "tomasz", "uma", "vera", "wout", "yara",
];

/// Everybody, people first; indices are the constants above.
pub fn everybody() -> Vec<Actor> {
    let mut all = Vec::with_capacity(PEOPLE + BOTS.len());
    for index in 0..PEOPLE {
        let name = NAMES.get(index % NAMES.len()).copied().unwrap_or("kim");
        let letter = char::from(b'a' + (index / NAMES.len()) as u8 * 3 + (index % 3) as u8);
        let login = format!("{name}-{letter}");
        all.push(Actor {
            id: 5_500_000 + index as i64 * 17,
            token: Rng::of(&login).hex(43) + "=",
            login,
            bot: false,
            team: index / TEAM_SIZE,
            office_ip: format!("192.0.2.{}", 1 + index % 120),
            home_ip: format!("198.51.100.{}", 1 + index),
            from_hour: 6 + (index % 4) as i64,
        });
    }
    for (login, id, ip) in BOTS {
        all.push(Actor {
            id,
            token: Rng::of(login).hex(43) + "=",
            login: login.to_owned(),
            bot: true,
            team: 15,
            office_ip: ip.to_owned(),
            home_ip: ip.to_owned(),
            from_hour: 0,
        });
    }
    all
}

/// What is known of addresses: the file for `network:` of a scenario.
pub fn network_csv() -> &'static str {
    "prefix,asn,organisation,country,proxy\n\
     # offices, and the way in for those who are elsewhere\n\
     192.0.2.0/25,64500,Harbourline,SE,none\n\
     192.0.2.128/26,64500,Harbourline,DE,vpn\n\
     # homes and telephones\n\
     198.51.100.0/25,64501,Fjordnet,SE,none\n\
     198.51.100.128/26,64502,Skane Mobile,SE,mobile\n\
     198.51.100.192/27,64503,Tunnelhaus,DE,vpn\n\
     198.51.100.224/27,64504,Rackfield,NL,hosting\n\
     # own runners, with a second way out, and the network of bots\n\
     203.0.113.0/26,64510,Harbourline Compute,SE,none\n\
     203.0.113.64/26,64510,Harbourline Compute,SE,none\n\
     203.0.113.128/25,64510,Harbourline Compute,SE,none\n\
     2001:db8:10::/48,64510,Harbourline Compute,SE,none\n\
     # hosted runners\n\
     198.18.0.0/16,64520,Hosted Runners,US,hosting\n\
     # services of others\n\
     198.19.0.0/16,64530,Assorted Services,US,hosting\n\
     10.0.0.0/8,,,,\n"
}
