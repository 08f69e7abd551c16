//! Sockets that the service manager opened, and addresses of the command line: what the configuration says of them holds.

use std::net::TcpListener;

use criba::client::Client;

use super::{tls::Authority, *};

/// What systemd does: the sockets to descriptors from 3 on, the process number to LISTEN_PID, then exec.
const MANAGER: &str = "\
import fcntl, os, socket, sys
count = int(sys.argv[1])
for number, at in enumerate(sys.argv[2:2 + count], 3):
    if at.startswith('/'):
        s = socket.socket(socket.AF_UNIX)
        s.bind(at)
        s.listen()
    else:
        host, port = at.rsplit(':', 1)
        s = socket.create_server((host, int(port)))
    os.dup2(fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, 100), number)
    os.set_inheritable(number, True)
    s.detach()
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count))
os.execv(sys.argv[2 + count], sys.argv[2 + count:])
";

/// `engine`, to which sockets at these places are handed over.
pub(super) fn with_sockets(engine: &Command, places: &[String]) -> Command {
    let mut manager = Command::new("python3");
    manager.args(["-c", MANAGER, &places.len().to_string()]).args(places);
    manager.arg(engine.get_program()).args(engine.get_args());
    for (name, value) in engine.get_envs() {
        match value {
            Some(value) => manager.env(name, value),
            None => manager.env_remove(name),
        };
    }
    manager
}

/// An address that was free a moment ago.
fn free() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn is_answered(address: &str) -> bool {
    Client::connect(address).and_then(|mut client| client.ping()).is_ok()
}

fn tls_address(plain: &str, folder: &Path) -> String {
    format!("tls://localhost:{}{}", plain.rsplit_once(':').unwrap().1, folder.display())
}

#[test]
fn a_socket_that_is_handed_over_keeps_what_the_configuration_says_of_its_address() {
    let (home, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let folder = authority.folder("localhost", &authority.pem);
    let (secured, closed, relay, plain) = (free(), free(), free(), socket(home.path()));
    let configuration = format!(
        "server.listen = [\"unix:/never/opened.sock\"]\n\
         [[listener]]\naddress = \"{secured}\"\ntls = \"{}\"\n\
         [[listener]]\naddress = \"{closed}\"\nallow = [\"192.0.2.0/24\"]\n\
         [[listener]]\naddress = \"qmqp:{relay}\"\nallow = [\"127.0.0.0/8\"]\nnext = [\"{}\"]\n",
        folder.path().display(),
        free()
    );
    fs::write(home.path().join("criba.toml"), configuration).unwrap();
    let places = [plain.display().to_string(), secured.clone(), closed.clone(), relay.clone()];
    let mut manager = with_sockets(&serve(home.path()), &places);
    let mut process = manager.stderr(Stdio::null()).spawn().unwrap();
    wait_for("the engine", || is_answered(&format!("unix:{}", plain.display())));
    assert!(is_answered(&tls_address(&secured, folder.path())));
    assert!(!is_answered(&secured), "without TLS");
    assert!(!is_answered(&closed), "not from here");
    // Judged, and not handed on, as nobody is there.
    let mut node = TcpStream::connect(&relay).unwrap();
    node.write_all(b"49:15:Subject: x\n\nhi\n,11:a@b.example,11:c@d.example,,").unwrap();
    let mut answer = String::new();
    node.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(":Z"), "{answer}");
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn no_relay_is_made_of_a_socket_by_its_name() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("criba.toml"), "").unwrap();
    let mut manager = with_sockets(&serve(home.path()), &[free()]);
    let output = manager.env("LISTEN_FDNAMES", "qmqp").output().unwrap();
    assert_eq!(output.status.code(), Some(73));
    assert!(String::from_utf8_lossy(&output.stderr).contains("[[listener]]"));
}

#[test]
fn an_address_of_the_command_line_keeps_what_the_configuration_says_of_it() {
    let (home, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let folder = authority.folder("localhost", &authority.pem);
    let (secured, other) = (free(), free());
    let configuration = format!(
        "[[listener]]\naddress = \"{secured}\"\ntls = \"{}\"\n[[listener]]\naddress = \"{other}\"\n",
        folder.path().display(),
    );
    fs::write(home.path().join("criba.toml"), configuration).unwrap();
    let mut engine = serve(home.path());
    let mut process = engine.args(["--listen", &secured]).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the engine", || is_answered(&tls_address(&secured, folder.path())));
    assert!(!is_answered(&secured), "without TLS");
    assert!(TcpStream::connect(&other).is_err(), "nowhere else");
    process.kill().unwrap();
    process.wait().unwrap();
}
