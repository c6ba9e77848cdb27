//! A real Apache Kafka broker on loopback for tests: one JVM, broker and controller in one, data in the target folder.
//!
//! It must never outlive the test process (a shell between them kills the JVM when the pipe to us closes, however we
//! ended) and never fail a test because Java, Maven or the network are missing: then it says so in one line.
#![allow(clippy::disallowed_methods, reason = "a harness waits for a real process in real time")]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::certificates::{self, Certificates};

/// Why there is no broker; the tests that need one are skipped.
#[derive(Debug, Clone)]
pub struct Unavailable(pub String);

/// What a broker can be asked for beyond a PLAINTEXT listener.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// User and password of a SASL listener (PLAIN, SCRAM-SHA-512) beside the plain one.
    pub sasl: Option<(String, String)>,
    /// The SASL listener speaks TLS, and a further listener wants a certificate of its clients.
    pub tls: bool,
    /// Topics carry the broker's append time instead of the producer's unless they say otherwise.
    pub log_append_time: bool,
}

/// One record as `read_all` returns it: key, value, partition, offset.
pub type Stored = (Option<Vec<u8>>, Option<Vec<u8>>, i32, i64);

/// A record to write: key and value; one without a value is a tombstone.
pub type Keyed<'r> = (Option<&'r [u8]>, Option<&'r [u8]>);

/// A running broker.
pub struct Broker {
    data: PathBuf,
    ports: Ports,
    options: Options,
    certificates: Option<Certificates>,
    running: Mutex<Option<Child>>,
}

struct Ports {
    plain: u16,
    controller: u16,
    sasl: u16,
    tls: u16,
}

/// Base64 of sixteen bytes, as KRaft wants it; the same for every broker, which never meet.
const CLUSTER_ID: &str = "cGlwZXdhcmRlbi10ZXN0cw";
const READY_WITHIN: Duration = Duration::from_secs(60);
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Formats the storage once, runs the JVM, and waits for a word on stdin: `stop` ends it properly and keeps the data,
/// `kill` ends it like a power cut and keeps the data, end of file (we are gone) kills it and removes the data.
const KEEPER: &str = r#"
data=$1; libs=$2
run() { java -Xmx512m -Dlog4j.configuration="file:$data/log4j.properties" -cp "$libs/*" "$@"; }
if [ ! -e "$data/formatted" ]; then
  run kafka.tools.StorageTool format --standalone -t "$3" -c "$data/server.properties" ${4:+--add-scram "$4"} \
    > "$data/format.out" 2>&1 \
    && : > "$data/formatted"
fi
java -Xmx512m -Dlog4j.configuration="file:$data/log4j.properties" -cp "$libs/*" kafka.Kafka "$data/server.properties" \
  >> "$data/broker.out" 2>&1 &
pid=$!
word=gone
read -r word
if [ "$word" = stop ]; then kill "$pid"; else kill -9 "$pid"; fi
wait "$pid"
case "$word" in stop | kill) ;; *) rm -rf "$data" ;; esac
"#;

/// One broker for all tests of this process that do not stop it; it ends with the process. `None`: skip the test.
pub fn shared() -> Option<&'static Broker> {
    static SHARED: OnceLock<Option<Broker>> = OnceLock::new();
    SHARED.get_or_init(|| Broker::start(&Options::default()).ok()).as_ref()
}

impl Broker {
    /// Installs Kafka where that has not happened, starts a broker on free ports and waits until it answers. When it
    /// cannot, one line on stderr says why.
    pub fn start(options: &Options) -> Result<Self, Unavailable> {
        let started = install().and_then(|libs| Self::prepare(options, &libs));
        started.map_err(|error| {
            let reason = format!("{error:#}").replace('\n', " ");
            // Past the test runner's capture: a skipped test has to be seen.
            let _ = writeln!(std::io::stderr(), "skipped: no Kafka broker for the tests: {reason}");
            Unavailable(reason)
        })
    }

    fn prepare(options: &Options, libs: &Path) -> Result<Self> {
        let held = [free_port()?, free_port()?, free_port()?, free_port()?];
        let [plain, controller, sasl, tls] = [0, 1, 2, 3].map(|n: usize| held[n].0);
        let ports = Ports { plain, controller, sasl, tls };
        let data = tempfile::Builder::new().prefix("data-").tempdir_in(libs.parent().unwrap_or(libs))?.keep();
        let certificates = options.tls.then(|| Certificates::make(&data)).transpose()?;
        fs::write(data.join("server.properties"), properties(options, &data, &ports, certificates.as_ref()))?;
        let log = format!(
            "log4j.rootLogger=WARN, F\nlog4j.logger.org.apache.kafka.coordinator.group=INFO\n\
             log4j.appender.F=org.apache.log4j.FileAppender\n\
             log4j.appender.F.File={}\nlog4j.appender.F.layout=org.apache.log4j.PatternLayout\n\
             log4j.appender.F.layout.ConversionPattern=%d %p %c: %m%n\n",
            data.join("broker.log").display()
        );
        fs::write(data.join("log4j.properties"), log)?;
        let broker = Self { ports, options: options.clone(), certificates, data, running: Mutex::new(None) };
        drop(held);
        broker.run()?;
        Ok(broker)
    }

    /// `host:port` of the plain listener.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.ports.plain)
    }

    /// `host:port` of the SASL listener, where it was asked for.
    pub fn sasl_bootstrap(&self) -> Option<String> {
        self.options.sasl.as_ref().map(|_| format!("127.0.0.1:{}", self.ports.sasl))
    }

    /// `host:port` of the listener that wants certificates of its clients, and the files for it, where TLS was asked for.
    pub fn tls(&self) -> Option<(String, &Certificates)> {
        self.certificates.as_ref().map(|files| (format!("127.0.0.1:{}", self.ports.tls), files))
    }

    /// What the broker says of a consumer group: each time its members are settled anew (`Stabilized`), and why.
    pub fn said_of_group(&self, group: &str) -> Vec<String> {
        let said = fs::read_to_string(self.data.join("broker.log")).unwrap_or_default();
        let name = format!("group {group} ");
        said.lines().filter(|line| line.contains(&name)).map(str::to_owned).collect()
    }

    /// Ends the broker properly; its data stay until it is dropped.
    pub fn stop(&self) {
        self.end("stop\n");
    }

    /// Ends the broker as a power cut would; its data stay until it is dropped.
    pub fn kill(&self) {
        self.end("kill\n");
    }

    /// Stops and starts it again: same data, same ports.
    pub fn restart(&self) -> Result<()> {
        self.stop();
        self.run()
    }

    /// Starts it again after `stop` or `kill`.
    pub fn run(&self) -> Result<()> {
        let libs = self.data.with_file_name("libs");
        let scram = |(user, password): &(String, String)| format!("SCRAM-SHA-512=[name={user},password={password}]");
        let scram = self.options.sasl.as_ref().map(scram);
        let child = Command::new("sh")
            .args(["-c", KEEPER, "kafka-for-tests"])
            .args([self.data.as_os_str(), libs.as_os_str(), CLUSTER_ID.as_ref()])
            .args(scram)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        let asking: BaseConsumer = self.client().create()?;
        let deadline = Instant::now() + READY_WITHIN;
        while asking.fetch_metadata(None, Duration::from_millis(500)).map_or(true, |found| found.brokers().is_empty()) {
            if Instant::now() > deadline {
                let said = fs::read_to_string(self.data.join("broker.out")).unwrap_or_default();
                bail!(
                    "the broker did not answer in {READY_WITHIN:?}: {}",
                    said.lines().last().unwrap_or("it said nothing")
                );
            }
        }
        Ok(())
    }

    fn end(&self, word: &str) {
        let Some(mut child) = self.running.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        if let Some(mut pipe) = child.stdin.take() {
            let _ = pipe.write_all(word.as_bytes());
        }
        let deadline = Instant::now() + Duration::from_secs(15);
        while matches!(child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status();
                let _ = child.wait();
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", self.bootstrap())
            .set("reconnect.backoff.max.ms", "200")
            .set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg);
        config
    }

    /// Creates a topic; `configs` are the topic's own settings.
    pub fn create_topic(&self, name: &str, partitions: i32, configs: &[(&str, &str)]) -> Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.client().create()?;
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        for (key, value) in configs {
            topic = topic.set(key, value);
        }
        for result in block_on(admin.create_topics([&topic], &AdminOptions::new()))? {
            result.map_err(|(name, code)| anyhow!("topic {name} was not created: {code}"))?;
        }
        Ok(())
    }

    /// Removes the records of a partition that stand before offset `before`, as retention would.
    pub fn delete_records(&self, topic: &str, partition: i32, before: i64) -> Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.client().create()?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(before))?;
        block_on(admin.delete_records(&list, &AdminOptions::new()))?;
        Ok(())
    }

    /// Appends records (key, value) to one partition in order and waits for all acknowledgements.
    pub fn produce(&self, topic: &str, partition: i32, records: &[(Option<&[u8]>, &[u8])]) -> Result<()> {
        let records: Vec<_> = records.iter().map(|(key, value)| (*key, Some(*value))).collect();
        self.append(topic, partition, &records)
    }

    /// The same for records without a value, too: tombstones.
    pub fn append(&self, topic: &str, partition: i32, records: &[Keyed<'_>]) -> Result<()> {
        let producer: BaseProducer =
            self.client().set("enable.idempotence", "true").set("message.timeout.ms", "20000").create()?;
        for (key, value) in records {
            let mut record = BaseRecord::<[u8], [u8]>::to(topic).partition(partition);
            (record.key, record.payload) = (*key, *value);
            producer.send(record).map_err(|(error, _)| error).context("queueing a record")?;
        }
        producer.flush(ANSWER_WITHIN)?;
        let (_, high) = producer.client().fetch_watermarks(topic, partition, ANSWER_WITHIN)?;
        ensure!(usize::try_from(high)? >= records.len(), "{topic}/{partition} ends at {high}: not all was delivered");
        Ok(())
    }

    /// Every record the topic holds now, by partition, in offset order.
    pub fn read_all(&self, topic: &str) -> Result<Vec<Stored>> {
        let consumer: BaseConsumer =
            self.client().set("group.id", "harness-never-commits").set("enable.auto.commit", "false").create()?;
        let metadata = consumer.fetch_metadata(Some(topic), ANSWER_WITHIN)?;
        let count = metadata.topics().first().map_or(0, |found| found.partitions().len());
        let mut stored = Vec::new();
        for partition in 0..i32::try_from(count)? {
            let (low, high) = consumer.fetch_watermarks(topic, partition, ANSWER_WITHIN)?;
            let mut list = TopicPartitionList::new();
            list.add_partition_offset(topic, partition, Offset::Offset(low))?;
            consumer.assign(&list)?;
            let (mut next, deadline) = (low, Instant::now() + ANSWER_WITHIN);
            while next < high {
                ensure!(Instant::now() < deadline, "{topic}/{partition}: nothing came after offset {next} of {high}");
                let Some(message) = consumer.poll(Duration::from_millis(200)) else { continue };
                let message = message?;
                next = message.offset() + 1;
                let (key, value) = (message.key().map(<[u8]>::to_vec), message.payload().map(<[u8]>::to_vec));
                stored.push((key, value, message.partition(), message.offset()));
            }
        }
        Ok(stored)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.end("kill\n");
        let _ = fs::remove_dir_all(&self.data);
    }
}

/// Where the jars are, after making sure that they are.
fn install() -> Result<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let libs = tests.parent().unwrap_or(tests).join("target/kafka/libs");
    let script = tests.join("kafka/install.sh");
    let run = Command::new(&script).arg(&libs).output().with_context(|| script.display().to_string())?;
    ensure!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr).trim());
    Ok(libs)
}

/// A free port, kept bound until the caller lets go, so that several differ.
fn free_port() -> Result<(u16, TcpListener)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    Ok((listener.local_addr()?.port(), listener))
}

fn properties(options: &Options, data: &Path, ports: &Ports, certificates: Option<&Certificates>) -> String {
    let Ports { plain, controller, sasl, tls } = ports;
    let mut listeners = format!("PLAINTEXT://127.0.0.1:{plain}");
    if options.sasl.is_some() {
        let protocol = if options.tls { "SASL_SSL" } else { "SASL_PLAINTEXT" };
        let _ = write!(listeners, ",{protocol}://127.0.0.1:{sasl}");
    }
    if options.tls {
        let _ = write!(listeners, ",SSL://127.0.0.1:{tls}");
    }
    let time = if options.log_append_time { "LogAppendTime" } else { "CreateTime" };
    let mut text = format!(
        "process.roles=broker,controller\nnode.id=1\n\
         controller.quorum.bootstrap.servers=127.0.0.1:{controller}\ncontroller.listener.names=CONTROLLER\n\
         listeners={listeners},CONTROLLER://127.0.0.1:{controller}\nadvertised.listeners={listeners}\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,\
         CONTROLLER:PLAINTEXT\n\
         inter.broker.listener.name=PLAINTEXT\nlog.dirs={}\nauto.create.topics.enable=false\n\
         log.message.timestamp.type={time}\noffsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\n\
         transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
         transaction.state.log.num.partitions=1\ngroup.initial.rebalance.delay.ms=0\n",
        data.join("log").display()
    );
    if let Some((user, password)) = &options.sasl {
        let listener = if options.tls { "sasl_ssl" } else { "sasl_plaintext" };
        let _ = write!(
            text,
            "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512\nlistener.name.{listener}.plain.sasl.jaas.config=\
             org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}=\"{password}\";\n\
             listener.name.{listener}.scram-sha-512.sasl.jaas.config=\
             org.apache.kafka.common.security.scram.ScramLoginModule required;\n"
        );
    }
    if let Some(Certificates { broker_store, client, .. }) = certificates {
        let _ = write!(
            text,
            "ssl.keystore.type=PKCS12\nssl.keystore.location={}\nssl.keystore.password={password}\n\
             ssl.key.password={password}\nssl.truststore.type=PEM\nssl.truststore.location={}\n\
             listener.name.ssl.ssl.client.auth=required\n",
            broker_store.display(),
            client.display(),
            password = certificates::PASSWORD,
        );
    }
    text
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The admin client answers by futures and has a thread of its own: parking this one is runtime enough.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
