//! `vfio-reset serve` as a person or a CI uses it: what it prints, its trace, how it ends.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};
use vfio_user::Client;

const CONFIG: u32 = 7;

/// How long anything may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(60);

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vfio-reset"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("RUST_BACKTRACE");
    command
}

/// Runs it with these words, to its end.
fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server that was started; it is gone with this.
struct Server {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    sockets: PathBuf,
}

impl Server {
    /// Starts `command`, which serves in `sockets`, and waits until it does.
    fn start(command: &mut Command, sockets: &Path) -> Self {
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().map(BufReader::new);
        let mut this = Self { child, stdout, sockets: sockets.to_path_buf() };
        let end = Instant::now() + PATIENCE;
        while UnixStream::connect(sockets.join("control.sock")).is_err() {
            assert!(this.child.try_wait().unwrap().is_none() && Instant::now() < end, "it did not begin");
            thread::sleep(Duration::from_millis(5));
        }
        this
    }

    /// Serves functions of the machine `broken` below a folder, with further words.
    fn broken(folder: &Path, before: &[&str], after: &[&str]) -> Self {
        let sockets = folder.join("s");
        let mut command = program();
        command.args(before).args(["--machine", "sim:broken", "serve", "--socket"]).arg(&sockets).args(after);
        Self::start(&mut command, &sockets)
    }

    fn connect(&self, address: &str) -> Client {
        let socket = self.sockets.join(format!("0000:{address}.sock"));
        let (connected, client) = channel();
        // It waits for its answer, however long.
        thread::spawn(move || connected.send(Client::new(&socket)));
        client.recv_timeout(PATIENCE).expect("the function is served").unwrap()
    }

    /// Waits until it has said where everything is.
    fn told_everything(&mut self) {
        let stdout = self.stdout.as_mut().unwrap();
        let mut lines = stdout.by_ref().lines();
        assert!(lines.any(|line| line.unwrap() == "Ctrl-C ends this."));
    }

    /// A client of the control socket that has sent a line.
    fn control(&self, line: &str) -> UnixStream {
        let mut control = UnixStream::connect(self.sockets.join("control.sock")).unwrap();
        writeln!(control, "{line}").unwrap();
        control
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end; gives the code, or what else ended it.
    fn wait(&mut self) -> Option<i32> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < end, "it does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it, and looks that no socket is left.
    fn end(&mut self) {
        self.signal("TERM");
        assert_eq!(self.wait(), Some(0));
        assert_eq!(fs::read_dir(&self.sockets).unwrap().count(), 0, "no socket is left");
    }

    /// What it has printed when it has ended.
    fn rest(&mut self) -> (String, String) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (stdout, stderr)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(client: &mut Client, offset: u64) -> u32 {
    let mut bytes = [0; 4];
    client.region_read(CONFIG, offset, &mut bytes).unwrap();
    u32::from_le_bytes(bytes)
}

/// The next line of a control socket, if one comes in this time.
fn answer(control: &UnixStream, patience: Duration) -> Option<String> {
    control.set_read_timeout(Some(patience)).unwrap();
    let mut answer = String::new();
    match BufReader::new(control).read_line(&mut answer) {
        Ok(_) => Some(answer),
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn every_access_is_in_the_trace_when_it_was_ended_and_no_socket_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let mut server =
        Server::broken(folder.path(), &["--json"], &["07:00.0", "--trace", trace.to_str().unwrap()]);
    let mut client = server.connect("07:00.0");
    client.region_write(CONFIG, 4, &[6, 0]).unwrap();
    for _ in 0..300 {
        assert_eq!(read(&mut client, 0), 0x0005_1b36);
    }
    // The client is still there.
    server.end();
    let text = fs::read_to_string(&trace).unwrap();
    let seen = |what: &str| text.lines().filter(|line| line.ends_with(what)).count();
    assert_eq!(seen(" 0000:07:00.0 read config 0x0 00051b36"), 300, "{text}");
    assert_eq!((seen(" write config 0x4 0006"), seen(" connected")), (1, 1));
    let (stdout, stderr) = server.rest();
    let document: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(document["functions"][0]["address"], "0000:07:00.0");
    let socket = |name: &str| server.sockets.join(name).to_str().unwrap().to_string();
    assert_eq!(document["functions"][0]["socket"], socket("0000:07:00.0.sock"));
    assert_eq!(document["control"], socket("control.sock"));
    assert_eq!(stderr, "");
}

#[test]
fn the_document_of_serve_shows_what_is_printed() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/serve.md")).unwrap();
    let shown = text.split("```console\n").nth(1).unwrap().split("\n```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let shown = shown.replace("/tmp/zoo", folder.path().join("zoo").to_str().unwrap());
    let mut lines = shown.lines();
    let words = lines.next().unwrap().strip_prefix("$ vfio-reset ").unwrap();
    let mut server = Server::start(program().args(words.split_whitespace()), &folder.path().join("zoo"));
    server.end();
    let (stdout, _) = server.rest();
    assert_eq!(stdout.lines().collect::<Vec<_>>(), lines.collect::<Vec<_>>());
    assert!(stdout.lines().all(|line| line == line.trim_end()), "no line ends in a blank");
}

#[test]
fn a_reader_that_does_not_read_keeps_neither_the_guest_nor_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::broken(folder.path(), &["-v"], &["07:00.0"]);
    let mut client = server.connect("07:00.0");
    let (done, all) = channel();
    // Some 240 KB of lines; a pipe holds 64.
    thread::spawn(move || {
        for _ in 0..4000 {
            read(&mut client, 0);
        }
        let _ = done.send(());
    });
    all.recv_timeout(PATIENCE).expect("the function stopped answering");
    server.end();
    let (stdout, _) = server.rest();
    assert!(stdout.contains(" read config 0x0 00051b36\n"), "-v prints accesses");
}

#[test]
fn a_start_that_fails_leaves_no_trace_and_the_next_one_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let (sockets, trace) = (folder.path().join("s"), folder.path().join("trace"));
    let words = |address| {
        let [sockets, trace] = [&sockets, &trace].map(|path| path.to_str().unwrap());
        ["--machine", "sim:broken", "serve", address, "--socket", sockets, "--trace", trace]
    };
    for _ in 0..2 {
        let failed = run(&words("00:01.0"));
        assert_eq!(failed.status.code(), Some(2));
        assert!(stderr(&failed).contains("it is a bridge"), "{}", stderr(&failed));
        assert!(!trace.exists() && !sockets.exists());
    }
    fs::write(&trace, "precious").unwrap();
    let failed = run(&words("07:00.0"));
    assert_eq!(failed.status.code(), Some(2));
    assert!(stderr(&failed).contains("a trace replaces nothing"), "{}", stderr(&failed));
    assert_eq!(fs::read_to_string(&trace).unwrap(), "precious");
}

#[test]
fn a_trace_can_go_to_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::broken(folder.path(), &["-q"], &["07:00.0", "--trace", "/dev/stdout"]);
    read(&mut server.connect("07:00.0"), 0);
    server.end();
    let (stdout, _) = server.rest();
    assert!(stdout.contains(" 0000:07:00.0 read config 0x0 00051b36\n"), "{stdout}");
}

#[test]
fn a_trace_to_standard_output_goes_on_where_that_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.txt");
    fs::write(&path, "before\n").unwrap();
    let out = fs::OpenOptions::new().append(true).open(&path).unwrap();
    let sockets = folder.path().join("s");
    let mut command = program();
    command.args(["-q", "--machine", "sim:broken", "serve", "--socket"]).arg(&sockets);
    command.args(["07:00.0", "--trace", "/dev/stdout"]).stdout(out);
    let mut server = Server::start(&mut command, &sockets);
    read(&mut server.connect("07:00.0"), 0);
    server.end();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("before\n"), "{text}");
    assert!(text.contains(" 0000:07:00.0 read config 0x0 00051b36\n"), "{text}");
}

#[test]
fn a_full_disk_ends_the_trace_with_one_warning_and_the_service_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::broken(folder.path(), &[], &["07:00.0", "--trace", "/dev/full"]);
    let mut client = server.connect("07:00.0");
    for _ in 0..100 {
        assert_eq!(read(&mut client, 0), 0x0005_1b36);
    }
    server.end();
    let (_, stderr) = server.rest();
    assert_eq!(stderr.matches("the trace /dev/full ends here").count(), 1, "{stderr}");
    assert!(stderr.contains("the trace is not complete"), "{stderr}");
}

#[test]
fn what_nohup_ignores_does_not_end_it() {
    let folder = tempfile::tempdir().unwrap();
    let sockets = folder.path().join("s");
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$0\" --machine sim:broken serve 07:00.0 --socket \"$1\""]);
    command.arg(env!("CARGO_BIN_EXE_vfio-reset")).arg(&sockets);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = Server::start(&mut command, &sockets);
    server.signal("HUP");
    thread::sleep(Duration::from_millis(200));
    assert_eq!(read(&mut server.connect("07:00.0"), 0), 0x0005_1b36, "it is still there");
    server.end();
    // Without that a lost terminal ends it, and takes the sockets along; whoever runs this test may ignore it himself.
    let mut command = Command::new("env");
    command.args(["--default-signal=HUP", env!("CARGO_BIN_EXE_vfio-reset"), "--machine", "sim:broken"]);
    command.args(["serve", "07:00.0", "--socket"]).arg(&sockets);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = Server::start(&mut command, &sockets);
    server.signal("HUP");
    assert_eq!(server.wait(), Some(0));
    assert_eq!(fs::read_dir(&sockets).unwrap().count(), 0);
}

#[test]
fn whoever_finds_no_descriptor_left_is_served_when_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::broken(folder.path(), &[], &["07:00.0"]);
    // It has opened all it needs, and of clients it has this one: those before it were let go first.
    server.told_everything();
    let control = server.control("07:00.0");
    assert_eq!(answer(&control, PATIENCE).as_deref(), Some("ok\n"));
    // Descriptors are numbered from the lowest on, but those that it was given may be anywhere.
    let open: Vec<u32> = fs::read_dir(format!("/proc/{}/fd", server.child.id()))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap())
        .collect();
    let limit = (0..).find(|number| !open.contains(number)).unwrap();
    drop(control);
    server.end();

    let sockets = folder.path().join("s");
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n $2; exec \"$0\" --machine sim:broken serve 07:00.0 --socket \"$1\""]);
    command.arg(env!("CARGO_BIN_EXE_vfio-reset")).arg(&sockets).arg(limit.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = Server::start(&mut command, &sockets);
    for _ in 0..3 {
        let mut client = server.connect("07:00.0");
        assert_eq!(read(&mut client, 0), 0x0005_1b36);
        let control = server.control("07:00.0");
        assert_eq!(answer(&control, Duration::from_millis(300)), None, "there was a descriptor left");
        drop(client);
        assert_eq!(answer(&control, PATIENCE).as_deref(), Some("ok\n"));
    }
    server.end();
}

#[test]
fn what_can_not_be_served_and_what_has_no_effect_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let sockets = folder.path().join("s");
    let sockets = sockets.to_str().unwrap();
    for machine in ["live", "captured.tar.gz", "/no/such/dump"] {
        let refused = run(&["--machine", machine, "serve", "--socket", sockets]);
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains("only simulated functions can be served"), "{}", stderr(&refused));
    }
    let state = folder.path().join("state");
    let refused = run(&[
        "--machine",
        "sim:broken",
        "--machine-state",
        state.to_str().unwrap(),
        "serve",
        "--socket",
        sockets,
    ]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("--machine-state is not for serve"), "{}", stderr(&refused));
    let text = include_str!("../src/machine/simulated/machines/broken.toml");
    let mine = folder.path().join("mine.toml");
    fs::write(&mine, text.replace("dies_on = [\"flr\"]", "dies_on = [\"flr\"], link_dies = true")).unwrap();
    let mut command = program();
    command.args(["--machine", mine.to_str().unwrap(), "serve", "02:00.0", "08:00.1", "--socket", sockets]);
    let mut server = Server::start(&mut command, Path::new(sockets));
    server.end();
    let (stdout, stderr) = server.rest();
    assert!(stderr.contains("0000:02:00.0: no effect here: link_dies is the bridge's"), "{stderr}");
    // No guest looks for a second function where there is no first.
    let audio = stdout.lines().find(|line| line.contains("-device '") && line.contains("08:00.1")).unwrap();
    assert!(audio.contains("port2") && !audio.contains("addr"), "{audio}");
}
