//! The harness's own broker does what the other tests rely on: it keeps data over a restart and ends with its owner.

use std::net::TcpStream;

use harness::broker::{Broker, Options};

#[test]
fn keeps_records_over_a_restart_and_a_kill_and_is_gone_when_dropped() {
    let Ok(broker) = Broker::start(&Options::default()) else { return };
    broker.create_topic("ci", 2, &[]).expect("created");
    broker.produce("ci", 0, &[(Some(b"k"), b"zero"), (None, b"one")]).expect("produced");
    broker.produce("ci", 1, &[(None, b"other")]).expect("produced");
    let expected = vec![
        (Some(b"k".to_vec()), Some(b"zero".to_vec()), 0, 0),
        (None, Some(b"one".to_vec()), 0, 1),
        (None, Some(b"other".to_vec()), 1, 0),
    ];
    assert_eq!(broker.read_all("ci").expect("read"), expected);

    broker.restart().expect("restarted");
    assert_eq!(broker.read_all("ci").expect("read"), expected);
    broker.kill();
    assert!(TcpStream::connect(broker.bootstrap()).is_err(), "killed");
    broker.run().expect("started again");
    assert_eq!(broker.read_all("ci").expect("read"), expected);

    broker.delete_records("ci", 0, 1).expect("deleted");
    assert_eq!(broker.read_all("ci").expect("read"), expected[1..]);

    assert!(broker.create_topic("ci", 1, &[]).is_err(), "a topic is created once");
    let bootstrap = broker.bootstrap();
    drop(broker);
    assert!(TcpStream::connect(bootstrap).is_err(), "gone");
}
