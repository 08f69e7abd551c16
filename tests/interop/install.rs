//! The commands that install criba and retrain it, as the pages have them, in folders of their own that lie over those of the
//! system: and the engine starts there as its own user, with the configuration, the command and the capabilities that it
//! has under systemd.

use std::{
    env, fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use super::{
    engine::{CRIBA, free, wait_for},
    support::{Server, block, can_mount, skipped},
};

const PLACE: &str = "\
for name in etc usr; do
  mkdir -p FOLDER/$name FOLDER/overlay/$name
  mount -t overlay overlay -o lowerdir=/$name,upperdir=FOLDER/$name,workdir=FOLDER/overlay/$name /$name || exit 75
done
for name in run var/lib var/spool; do mount -t tmpfs none /$name || exit 75; done
mkdir -p /var/spool/postfix /var/lib/criba/spool /run/criba
export SYSTEMD_OFFLINE=1
set -e
cd ROOT
";

/// The last thing that systemd sees to, which is not there to do it.
const START: &str = "\
cp -r COMPILED FOLDER/cache
chown -R criba /run/criba /var/lib/criba FOLDER/cache
export CACHE_DIRECTORY=FOLDER/cache
exec setpriv --reuid criba --regid criba --clear-groups";

/// The value of a line of a unit file.
fn of_unit(unit: &str, key: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(unit);
    let text = fs::read_to_string(&path).expect("a unit");
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    value.unwrap_or_else(|| panic!("{unit} has no {key}")).to_owned()
}

/// How setpriv writes the capabilities of the unit.
fn capabilities() -> String {
    let names = of_unit("criba.service", "AmbientCapabilities").to_lowercase();
    names.split(' ').map(|name| name.replace("cap_", "+")).collect::<Vec<_>>().join(",")
}

/// The shipped configuration with what the pages put in.
fn configuration(model: bool, address: SocketAddr) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/criba.toml");
    let shipped = fs::read_to_string(path).expect("the shipped configuration");
    let mut bayes = format!("[bayes]\n{}", block("dovecot.md", "# criba.toml, below [bayes]"));
    if model {
        bayes += &block("dovecot.md", "# criba.toml, below spool");
    }
    let listeners = [
        block("postfix.md", "# criba.toml"),
        block("postfix.md", "# criba.toml, submission"),
        block("dovecot.md", "# criba.toml"),
        format!("[[listener]]\naddress = \"{address}\"\n"),
    ];
    shipped.replacen("[bayes]\n", &bayes, 1) + &listeners.concat()
}

#[test]
fn what_the_pages_install_runs() {
    let has = |program: &str, option: &str| {
        Command::new(program).arg(option).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    let is_user = Command::new("id").arg("postfix").output().is_ok_and(|output| output.status.success());
    if !is_user || !has("systemctl", "--version") || !has("setpriv", "--version") {
        return skipped("Postfix, systemctl or setpriv is not installed");
    }
    if !can_mount("mount -t overlay overlay -o lowerdir=/usr:/etc /usr && mount -t tmpfs none /run") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a folder of ours");
    let (root, address) = (Path::new(env!("CARGO_MANIFEST_DIR")), free());
    let install = block("README.md", "# install")
        .replace("cargo build --release\n", "")
        .replace("target/release/criba", CRIBA);
    let of_postfix = block("postfix.md", "# start");
    let (of_postfix, _) = of_postfix.split_once("systemctl").expect("a folder is made before the start");
    let configured = folder.path().join("criba.toml");
    fs::write(&configured, configuration(false, address)).expect("a folder of ours");
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("criba");
    fs::create_dir_all(&cache).expect("a folder of ours");
    let script = format!(
        "{PLACE}{install}{of_postfix}cp FOLDER/criba.toml /etc/criba/criba.toml\n{}{} --inh-caps {capabilities} \
         --ambient-caps {capabilities} {}\n",
        block("README.md", "# start").replace(" --now", ""),
        START.replace("COMPILED", &cache.display().to_string()),
        of_unit("criba.service", "ExecStart"),
        capabilities = capabilities(),
    );
    let engine = Server::start(folder.path(), root, &[], &script, address);
    let run = |script: &str| {
        engine.run(&format!("export SYSTEMD_OFFLINE=1; cd {}\n{script}", root.display()));
    };
    run("test -L /etc/systemd/system/multi-user.target.wants/criba.service\n\
         systemd-analyze verify /etc/systemd/system/criba.service");
    // Postfix may come to its sockets, users to theirs, and none but Postfix to its own.
    for (user, socket, may) in [
        ("postfix", "/var/spool/postfix/criba/milter.sock", true),
        ("postfix", "/var/spool/postfix/criba/submission.sock", true),
        ("nobody", "/var/spool/postfix/criba/milter.sock", false),
        ("nobody", "/run/criba/spamd.sock", true),
    ] {
        let not = if may { "" } else { "! " };
        run(&format!("{not}setpriv --reuid {user} --regid {user} --clear-groups test -w {socket}")
            .replace("--regid nobody", "--regid nogroup"));
    }

    // A first model, a mail that a user sorted, and the nightly training.
    let samples = root.join("corpora/samples").display().to_string();
    run(&block("dovecot.md", "# train").replace("/srv/sorted", &samples).replace(" --now", ""));
    run(&format!("criba learn --spam --spool /var/lib/criba/spool {samples}/spam/gtube.eml"));
    fs::write(&configured, configuration(true, address)).expect("a folder of ours");
    run(&format!(
        "test -L /etc/systemd/system/timers.target.wants/criba-retrain.timer\n\
         systemd-analyze verify /etc/systemd/system/criba-retrain.timer /etc/systemd/system/criba-retrain.service\n\
         test -n \"$(find /var/lib/criba/spool -type f -path '*/spam/*')\"\n\
         {}\n\
         test -z \"$(find /var/lib/criba/spool -type f -path '*/spam/*')\"\n\
         cp {} /etc/criba/criba.toml\n",
        of_unit("criba-retrain.service", "ExecStart"),
        configured.display(),
    ));
    let reload = of_unit("criba.service", "ExecReload").replace("$MAINPID", &engine.id().to_string());
    run(&reload);
    let log = || fs::read_to_string(folder.path().join("server.log")).expect("a log");
    wait_for("the next engine", || log().contains("reloaded"));
}
