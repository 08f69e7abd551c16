//! The RPC between machines: TLS with a certificate on either side.

use std::{net::TcpListener, process::Stdio, thread};

use criba::{
    client::{Client, Cluster, Error},
    wire::request::Envelope,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::*;

/// A root that signs for machines.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    /// The folder of a machine that is called `name`, and believes `roots`.
    pub fn folder(&self, name: &str, roots: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        self.fill(folder.path(), name, roots);
        folder
    }

    /// Replaces what is in such a folder.
    fn fill(&self, folder: &Path, name: &str, roots: &str) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        for (file, pem) in
            [("ca.pem", roots.to_owned()), ("cert.pem", certificate.pem()), ("key.pem", key.serialize_pem())]
        {
            fs::write(folder.join(file), pem).unwrap();
        }
    }
}

/// An engine that proves to be `localhost` with the certificates in `folder`.
fn engine(folder: &Path) -> Engine {
    let home = tempfile::tempdir().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let configuration = format!(
        "server.listen = [\"unix:{}\"]\n[[listener]]\naddress = \"{tcp}\"\ntls = \"{}\"\n",
        socket(home.path()).display(),
        folder.display()
    );
    fs::write(home.path().join("criba.toml"), configuration).unwrap();
    let process = serve(home.path()).stderr(Stdio::null()).spawn().unwrap();
    let engine = Engine { process, home, tcp };
    wait_for("the port", || TcpStream::connect(&engine.tcp).is_ok());
    engine
}

impl Engine {
    /// Its address for a client with the certificates in `folder`.
    fn tls(&self, host: &str, folder: &Path) -> String {
        format!("tls://{host}:{}{}", self.tcp.rsplit_once(':').unwrap().1, folder.display())
    }
}

const MAIL: &[u8] = b"Subject: x\nMessage-ID: <1@test>\n\nhello\n";

#[test]
fn machines_that_prove_who_they_are_talk() {
    let authority = Authority::new();
    let (here, there) =
        (authority.folder("node", &authority.pem), authority.folder("localhost", &authority.pem));
    let engine = engine(there.path());
    let address = engine.tls("localhost", here.path());

    let mut client = Client::connect(&address).unwrap();
    for _ in 0..3 {
        let reply = client.scan(MAIL, &Envelope::default(), 60_000).unwrap();
        assert_eq!(json(&reply.json).get_str("message_id"), Some("<1@test>"));
    }
    // Many records of TLS in one frame.
    let large = [MAIL, &b"a line of a long mail\n".repeat(200_000)].concat();
    assert_eq!(client.scan(&large, &Envelope::default(), 60_000).unwrap().status, 0);

    // Several threads, each with its own connection.
    let cluster = Cluster::new(&address).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(cluster.scan(MAIL, &Envelope::default(), 60_000).unwrap().status, 0);
                }
            });
        }
    });

    let mail = here.path().join("mail.eml");
    fs::write(&mail, MAIL).unwrap();
    let mut scan = Command::new(env!("CARGO_BIN_EXE_criba"));
    let output = scan.args(["scan", "--json", "--server", &address]).arg(mail).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"message_id\":\"<1@test>\""));
    engine.assert_sound();
}

/// Whether a client gets an answer: a server that does not believe it says so only after the client is content.
fn is_answered(address: &str) -> bool {
    Client::connect(address).and_then(|mut client| client.ping()).is_ok()
}

#[test]
fn others_do_not() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let there = authority.folder("localhost", &authority.pem);
    let engine = engine(there.path());
    let good = authority.folder("node", &authority.pem);
    assert!(is_answered(&engine.tls("localhost", good.path())));

    // A client that another authority signed for; one that believes another; another name; no TLS at all.
    let unsigned = stranger.folder("node", &authority.pem);
    assert!(!is_answered(&engine.tls("localhost", unsigned.path())));
    let distrustful = authority.folder("node", &stranger.pem);
    assert!(matches!(Client::connect(&engine.tls("localhost", distrustful.path())), Err(Error::Connect(_))));
    assert!(matches!(Client::connect(&engine.tls("127.0.0.1", good.path())), Err(Error::Connect(_))));
    assert!(!is_answered(&engine.tcp));

    // What makes no sense is said before anything is connected.
    fs::write(good.path().join("key.pem"), "no key").unwrap();
    let Err(Error::Address(why)) = Client::connect(&engine.tls("localhost", good.path())) else { panic!() };
    assert!(why.contains("key.pem"), "{why}");
    assert!(matches!(Client::connect("tls://localhost"), Err(Error::Address(_))));
    engine.assert_sound();
}

#[test]
fn certificates_are_renewed_by_a_reload_and_broken_ones_are_not_taken() {
    let (old, new) = (Authority::new(), Authority::new());
    let (there, home) = (old.folder("localhost", &old.pem), old.folder("node", &old.pem));
    let other = new.folder("node", &new.pem);
    let engine = engine(there.path());
    let [known, stranger] = [&home, &other].map(|folder| engine.tls("localhost", folder.path()));
    let mut early = Client::connect(&known).unwrap();
    assert_eq!(early.ping().unwrap().status, 0);
    let who_is_answered = || (is_answered(&known), is_answered(&stranger));
    assert_eq!(who_is_answered(), (true, false));

    // Each of these is refused as a whole: the configuration beside it does not come into force either.
    let configured = fs::read_to_string(engine.home.path().join("criba.toml")).unwrap();
    fs::write(engine.home.path().join("criba.toml"), configured + "[profile.partners]\nbudget_ms = 900\n")
        .unwrap();
    let partners = Envelope { profile: Some("partners".into()), ..Envelope::default() };
    let right = |file: &str| fs::read(there.path().join(file)).unwrap();
    let another_key = KeyPair::generate().unwrap().serialize_pem();
    for (file, broken) in [("cert.pem", "no certificate"), ("key.pem", &another_key), ("ca.pem", "")] {
        let before = right(file);
        fs::write(there.path().join(file), broken).unwrap();
        let refused = engine.client().reload().unwrap();
        assert_eq!(refused.status, 7, "{file}");
        assert!(refused.json.contains(there.path().to_str().unwrap()), "{file}: {}", refused.json);
        assert_eq!(who_is_answered(), (true, false), "{file}");
        assert_eq!(engine.client().scan(MAIL, &partners, 0).unwrap().status, 4, "{file}");
        fs::write(there.path().join(file), before).unwrap();
    }

    new.fill(there.path(), "localhost", &new.pem);
    engine.signal("-HUP");
    wait_for("the new certificates", || who_is_answered() == (false, true));
    assert_eq!(engine.client().scan(MAIL, &partners, 60_000).unwrap().status, 0);
    assert_eq!(early.ping().unwrap().status, 0, "who is connected stays so");

    old.fill(there.path(), "localhost", &old.pem);
    assert_eq!(engine.client().reload().unwrap().status, 0);
    assert_eq!(who_is_answered(), (true, false));
    engine.assert_sound();
}

#[test]
fn without_its_certificates_an_engine_does_not_start() {
    let home = tempfile::tempdir().unwrap();
    let configuration =
        "server.listen = []\n[[listener]]\naddress = \"127.0.0.1:0\"\ntls = \"/no/such/folder\"\n";
    fs::write(home.path().join("criba.toml"), configuration).unwrap();
    let output = serve(home.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/folder/ca.pem"));
}
