//! Functions that are served over vfio-user, seen by a client of that protocol.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use vfio_reset::Error;
use vfio_reset::machine::simulated::model::Completion;
use vfio_reset::machine::simulated::serve::{Event, Observer, Service};
use vfio_reset::machine::simulated::{FunctionModel, ResetKind, Simulated};
use vfio_user::Client;

const CONFIG: u32 = 7;

/// The zoo of broken devices, with what happened at them.
struct Zoo {
    folder: tempfile::TempDir,
    service: Service,
    events: Arc<Mutex<Vec<String>>>,
}

impl Zoo {
    fn serve(addresses: &[&str]) -> Self {
        Self::serve_machine(Simulated::open("broken").unwrap(), addresses)
    }

    fn serve_machine(machine: Simulated, addresses: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let log = events.clone();
        let observer: Observer = Arc::new(move |address, _, event| {
            if !matches!(event, Event::Read { .. } | Event::Write { .. }) {
                log.lock().unwrap().push(format!("{address} {event:?}"));
            }
        });
        let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let service =
            Service::start(Arc::new(machine), &addresses, &folder.path().join("s"), observer).unwrap();
        Self { folder, service, events }
    }

    fn connect(&self, address: &str) -> Function {
        Function(Client::new(&self.folder.path().join(format!("s/0000:{address}.sock"))).unwrap())
    }

    fn control(&self, line: &str) -> String {
        let mut stream = UnixStream::connect(self.service.control()).unwrap();
        writeln!(stream, "{line}").unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        answer.trim().to_string()
    }

    /// All that is answered to a client that says this and then no more.
    fn answers(&self, bytes: &[u8]) -> String {
        let mut stream = UnixStream::connect(self.service.control()).unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).unwrap();
        answers
    }

    /// A connection that speaks the protocol word by word.
    fn raw(&self) -> UnixStream {
        UnixStream::connect(&self.service.functions()[0].socket).unwrap()
    }

    /// What happened, once so many things have.
    fn events(&self, count: usize) -> Vec<String> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let events = self.events.lock().unwrap().clone();
            if events.len() >= count || Instant::now() > end {
                return events;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

struct Function(Client);

impl Function {
    fn dword(&mut self, region: u32, offset: u64) -> u32 {
        let mut bytes = [0; 4];
        self.0.region_read(region, offset, &mut bytes).unwrap();
        u32::from_le_bytes(bytes)
    }

    fn set_word(&mut self, offset: u64, value: u16) {
        self.0.region_write(CONFIG, offset, &value.to_le_bytes()).unwrap();
    }

    /// Switches Memory Space and Bus Master on.
    fn use_it(&mut self) {
        self.set_word(4, 6);
    }

    /// The offset of a capability.
    fn capability(&mut self, id: u32) -> u64 {
        let mut at = u64::from(self.dword(CONFIG, 0x34) & 0xff);
        while self.dword(CONFIG, at) & 0xff != id {
            at = u64::from(self.dword(CONFIG, at) >> 8 & 0xff);
            assert_ne!(at, 0, "there is no capability {id:#x}");
        }
        at
    }

    fn initiate_flr(&mut self) {
        let control = self.capability(0x10) + 8;
        let value = self.dword(CONFIG, control) as u16;
        self.set_word(control, value | 0x8000);
    }
}

#[test]
fn a_client_finds_the_regions_that_the_description_gives() {
    let zoo = Zoo::serve(&["07:00.0"]);
    let mut function = zoo.connect("07:00.0");
    let sizes: Vec<u64> = (0..9).map(|index| function.0.region(index).unwrap().size).collect();
    assert_eq!(sizes, [0x1000, 0x20, 0x400_0000, 0, 0, 0, 0, 4096, 0]);
    assert_eq!(function.dword(CONFIG, 0), 0x0005_1b36);
    assert_eq!(function.0.get_irq_info(1).unwrap().count, 1, "MSI with one vector");
    assert_eq!(function.0.get_irq_info(0).unwrap().count, 0, "no interrupt pin");
}

#[test]
fn memory_is_there_only_while_memory_space_is_on() {
    let zoo = Zoo::serve(&["07:00.0"]);
    let mut function = zoo.connect("07:00.0");
    assert_eq!(function.dword(CONFIG, 4) & 7, 0, "off after power-on");
    assert_eq!(function.dword(0, 0x10), u32::MAX);
    function.use_it();
    function.0.region_write(0, 0x10, &[1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    assert_eq!((function.dword(0, 0x10), function.dword(0, 0x14)), (0x0403_0201, 0x0807_0605));
    assert_eq!(function.dword(0, 0x1000), u32::MAX, "beyond the BAR");
    assert_eq!(function.dword(CONFIG, 4096), u32::MAX);
}

#[test]
fn a_function_level_reset_is_a_write_and_a_bus_reset_a_message() {
    let zoo = Zoo::serve(&["07:00.0"]);
    let mut function = zoo.connect("07:00.0");
    function.0.reset().unwrap();
    function.use_it();
    function.initiate_flr();
    // It is away for 50 ms, and says so with Request Retry Status.
    assert_eq!(function.dword(CONFIG, 0), 0xffff_0001);
    while function.dword(CONFIG, 0) != 0x0005_1b36 {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(function.dword(CONFIG, 4) & 7, 0, "Command is lost");
    function.use_it();
    function.0.reset().unwrap();
    assert_eq!(function.dword(CONFIG, 0), 0xffff_0001);
    let events = zoo.events(4);
    let reset = |kind| format!("0000:07:00.0 {:?}", Event::Reset(kind));
    assert_eq!(
        events[..4],
        [
            "0000:07:00.0 Connected".to_string(),
            "0000:07:00.0 PowerOn".to_string(),
            reset(ResetKind::FunctionLevel),
            reset(ResetKind::Conventional)
        ]
    );
}

#[test]
fn a_function_that_dies_is_alive_again_for_the_next_client() {
    let zoo = Zoo::serve(&["02:00.0"]);
    let mut function = zoo.connect("02:00.0");
    function.use_it();
    function.initiate_flr();
    assert_eq!(function.dword(CONFIG, 0), u32::MAX);
    drop(function);
    assert_eq!(zoo.events(3)[2], "0000:02:00.0 Disconnected(None)");
    assert_eq!(zoo.connect("02:00.0").dword(CONFIG, 0), 0x0005_1b36);
}

#[test]
fn a_behaviour_can_be_changed_while_a_function_is_served() {
    let zoo = Zoo::serve(&["07:00.0"]);
    let mut function = zoo.connect("07:00.0");
    assert_eq!(zoo.control("07:00.0 header_7f = true"), "ok");
    assert_eq!(function.dword(CONFIG, 0x0c) >> 16 & 0x7f, 0x7f);
    assert_eq!(zoo.control("07:00.0 all_ones = true"), "ok");
    assert_eq!(function.dword(CONFIG, 0), u32::MAX);
    assert_eq!(zoo.control("07:00.0"), "ok");
    assert_eq!(function.dword(CONFIG, 0), 0x0005_1b36);
    for wrong in ["07:00.0 dies_of = []", "01:00.0", "zebra"] {
        assert!(zoo.control(wrong).starts_with("error: "), "{wrong}");
    }
}

#[test]
fn a_key_that_only_a_bridge_or_a_kernel_could_obey_is_refused() {
    let zoo = Zoo::serve(&["07:00.0"]);
    let bridge = "the bridge's, which the virtual machine brings";
    for (key, whose) in [
        ("link_dies = true", bridge),
        ("link_speed_after = 1", bridge),
        ("link_width_after = 1", bridge),
        ("link_up_after_ms = 1", bridge),
        ("windows_corrupt_after_reset = true", bridge),
        ("slot_power = \"off\"", "the slot's"),
        ("dies_on = [\"power_cycle\"]", "the slot's"),
        ("vfio = { reset = [\"EIO\"] }", "the kernel's"),
    ] {
        let answer = zoo.control(&format!("07:00.0 all_ones = true, {key}"));
        assert!(answer.starts_with("error: ") && answer.contains(whose), "{key}: {answer}");
    }
    assert_eq!(zoo.connect("07:00.0").dword(CONFIG, 0), 0x0005_1b36, "nothing was done by halves");
    let both = zoo.control("07:00.0 link_dies = true, link_speed_after = 1");
    assert_eq!(both, format!("error: link_dies is {bridge}; link_speed_after is {bridge}"));
}

#[test]
fn a_description_with_such_keys_is_served_and_they_are_named() {
    let text = include_str!("../src/machine/simulated/machines/broken.toml");
    let text = text.replace("dies_on = [\"flr\"]", "dies_on = [\"flr\"], link_dies = true");
    let zoo = Zoo::serve_machine(Simulated::from_toml(&text, "mine.toml").unwrap(), &[]);
    let told: Vec<_> = zoo.service.without_effect().iter().map(|(at, why)| format!("{at} {why}")).collect();
    assert_eq!(told, ["0000:02:00.0 link_dies is the bridge's, which the virtual machine brings"]);
}

#[test]
fn every_line_to_the_control_socket_has_an_answer_and_no_half_line_is_done() {
    let zoo = Zoo::serve(&["07:00.0"]);
    let mut function = zoo.connect("07:00.0");
    assert_eq!(zoo.answers(b"07:00.0 all_ones = true\n\n07:00.0 header_7f = true\n"), "ok\nok\n");
    assert_eq!(function.dword(CONFIG, 0x0c) >> 16 & 0x7f, 0x7f);
    let cut = zoo.answers(b"07:00.0");
    assert!(cut.starts_with("error: nothing was done: the line does not end"), "{cut}");
    let long = [b"07:00.0 ".as_slice(), &[b' '; 1 << 16], b"\n07:00.0\n"].concat();
    let long = zoo.answers(&long);
    assert!(
        long.starts_with("error: nothing was done: a line has at most") && long.lines().count() == 1,
        "{long}"
    );
    let binary = zoo.answers(b"07:00.0 \xff\n07:00.0 all_zeros = true\n");
    let lines: Vec<&str> = binary.lines().collect();
    assert!(lines.len() == 2 && lines.iter().all(|line| line.starts_with("error: ")), "{binary}");
    assert_eq!(function.dword(CONFIG, 0x0c) >> 16 & 0x7f, 0x7f, "it was not healed");
}

#[test]
fn a_client_of_the_control_socket_that_says_nothing_is_told_and_makes_room() {
    let zoo = Zoo::serve(&["07:00.0"]);
    let mut silent = UnixStream::connect(zoo.service.control()).unwrap();
    silent.write_all(b"07:00.0").unwrap();
    assert_eq!(zoo.control("07:00.0"), "ok", "the next one is served");
    let mut answer = String::new();
    silent.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "error: no whole line came for 5 s\n");
}

#[test]
fn a_connection_that_asks_for_nothing_changes_nothing() {
    let zoo = Zoo::serve(&["07:00.0"]);
    assert_eq!(zoo.control("07:00.0 header_7f = true"), "ok");
    drop(zoo.raw());
    zoo.raw().write_all(&[0; 5]).unwrap();
    let mut function = zoo.connect("07:00.0");
    assert_eq!(function.dword(CONFIG, 0x0c) >> 16 & 0x7f, 0x7f, "what was set before is there");
    drop(function);
    assert_eq!(zoo.events(3).last().unwrap(), "0000:07:00.0 Disconnected(None)");
    assert_eq!(zoo.connect("07:00.0").dword(CONFIG, 0x0c) >> 16 & 0x7f, 0, "it ended with its client");
}

/// The message that asks for so many bytes of configuration space.
fn read_message(count: u32) -> Vec<u8> {
    let words = [0x0009_0001, 32, 0, 0, 0, 0, CONFIG, count];
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

#[test]
fn more_than_a_mebibyte_at_once_is_an_error_and_the_client_can_go_on() {
    let zoo = Zoo::serve(&["07:00.0"]);
    let mut stream = zoo.raw();
    let mut header = [0; 16];
    stream.write_all(&read_message((1 << 20) + 1)).unwrap();
    stream.read_exact(&mut header).unwrap();
    assert_eq!(header[8] & 0x20, 0x20, "an error");
    stream.write_all(&read_message(1 << 20)).unwrap();
    stream.read_exact(&mut header).unwrap();
    assert_eq!(header[8] & 0x20, 0);
    stream.read_exact(&mut vec![0; 16 + (1 << 20)]).unwrap();
    let mut write = read_message((1 << 20) + 1);
    write[2] = 10;
    write[4..8].copy_from_slice(&(32 + (1_u32 << 20) + 1).to_le_bytes());
    write.resize(write.len() + (1 << 20) + 1, 0);
    stream.write_all(&write).unwrap();
    stream.read_exact(&mut header).unwrap();
    assert_eq!(header[8] & 0x20, 0x20, "an error");
    stream.write_all(&read_message(4)).unwrap();
    let mut reply = [0; 36];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(reply[32..], [0x36, 0x1b, 0x05, 0x00]);
}

#[test]
fn a_client_that_is_killed_with_an_answer_unread_has_just_left() {
    let zoo = Zoo::serve(&["07:00.0"]);
    let mut stream = zoo.raw();
    stream.write_all(&read_message(4)).unwrap();
    stream.read_exact(&mut [0; 1]).unwrap();
    drop(stream);
    assert_eq!(zoo.events(2)[1], "0000:07:00.0 Disconnected(None)");
}

/// A model with a defect of its own.
struct Defect([u8; 256]);

impl FunctionModel for Defect {
    fn config_size(&self) -> usize {
        self.0.len()
    }

    fn read_config(&mut self, _: Duration, offset: u16, bytes: &mut [u8]) -> Completion {
        assert_ne!(offset, 0x40, "nobody thought of this register");
        bytes.copy_from_slice(&self.0[usize::from(offset)..][..bytes.len()]);
        Completion::Successful
    }

    fn write_config(&mut self, _: Duration, _: u16, _: &[u8]) -> Option<ResetKind> {
        None
    }

    fn read_bar(&mut self, _: Duration, _: u8, _: u64, _: &mut [u8]) -> Completion {
        Completion::Unanswered
    }

    fn write_bar(&mut self, _: Duration, _: u8, _: u64, _: &[u8]) {}

    fn reset(&mut self, _: Duration, _: ResetKind) {}

    fn registers(&self) -> &[u8] {
        &self.0
    }

    fn set_hardware_bits(&mut self, _: u16, _: u16, _: u16) {}

    fn answers(&self, _: Duration) -> bool {
        true
    }

    fn save(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    fn load(&mut self, _: &serde_json::Value) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn a_defect_of_a_model_is_not_blamed_on_the_client() {
    let machine = Simulated::open("broken").unwrap();
    let mut registers = [0; 256];
    registers[..4].copy_from_slice(&[0x36, 0x1b, 0x05, 0x00]);
    machine.set_model("07:00.0".parse().unwrap(), Box::new(Defect(registers))).unwrap();
    let zoo = Zoo::serve_machine(machine, &["07:00.0", "01:00.0"]);
    let mut function = zoo.connect("07:00.0");
    assert_eq!(function.dword(CONFIG, 0), 0x0005_1b36);
    function.0.region_read(CONFIG, 0x40, &mut [0; 4]).unwrap_err();
    let events = zoo.events(2);
    assert!(events[1].contains("vfio-reset's own") && events[1].contains("nobody thought"), "{events:?}");
    assert!(!events[1].contains("malformed"));
    assert_eq!(zoo.connect("07:00.0").dword(CONFIG, 0), 0x0005_1b36, "the next client is served");
    assert_eq!(zoo.connect("01:00.0").dword(CONFIG, 0), 0x0005_1b36, "and the others");
    let answer = zoo.control("07:00.0 all_ones = true");
    assert!(answer.starts_with("error: ") && answer.contains("a model of its own"), "{answer}");
}

#[test]
fn two_functions_of_a_slot_are_served_side_by_side() {
    let zoo = Zoo::serve(&["08:00.1", "08:00.0"]);
    let (mut display, mut audio) = (zoo.connect("08:00.0"), zoo.connect("08:00.1"));
    assert_eq!(display.dword(CONFIG, 0), 0x1b80_10de);
    assert_eq!(audio.dword(CONFIG, 0), 0x10f0_10de);
    display.use_it();
    display.0.reset().unwrap();
    assert_eq!(audio.dword(CONFIG, 0), 0x10f0_10de, "each has its own message");
}

#[test]
fn a_client_that_breaks_the_protocol_is_let_go_and_the_next_one_served() {
    let zoo = Zoo::serve(&["07:00.0"]);
    let path = &zoo.service.functions()[0].socket;
    let mut stream = UnixStream::connect(path).unwrap();
    // A version message whose text does not end: 16 bytes of header, the version, and no zero.
    let mut message = vec![0, 0, 1, 0, 22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(b"{}");
    stream.write_all(&message).unwrap();
    assert!(zoo.events(1)[0].contains("malformed"), "{:?}", zoo.events(1));
    drop(stream);
    assert_eq!(zoo.connect("07:00.0").dword(CONFIG, 0), 0x0005_1b36);
}

#[test]
fn what_cannot_be_served_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let quiet: Observer = Arc::new(|_, _, _| {});
    let start = |machine: &str, address: &str, folder: &Path| {
        let machine = Arc::new(Simulated::open(machine).unwrap());
        Service::start(machine, &[address.parse().unwrap()], folder, quiet.clone()).map(drop)
    };
    let error = |result: Result<(), Error>| result.unwrap_err().to_string();
    assert!(error(start("broken", "00:01.0", folder.path())).contains("bridge"));
    assert!(error(start("zoo", "03:10.0", folder.path())).contains("virtual function"));
    assert!(matches!(start("broken", "99:00.0", folder.path()), Err(Error::NoSuchFunction { .. })));
    let long = folder.path().join("x".repeat(100));
    assert!(error(start("broken", "07:00.0", &long)).contains("107 bytes"));
    std::fs::write(folder.path().join("0000:07:00.0.sock"), "").unwrap();
    assert!(error(start("broken", "07:00.0", folder.path())).contains("no socket"));
}

#[test]
fn sockets_go_with_the_service_and_what_a_killed_one_left_is_replaced() {
    let zoo = Zoo::serve(&["07:00.0"]);
    let folder = zoo.folder.path().join("s");
    let start = || {
        let machine = Arc::new(Simulated::open("broken").unwrap());
        Service::start(machine, &["07:00.0".parse().unwrap()], &folder, Arc::new(|_, _, _| {}))
    };
    let busy = start().map(drop).unwrap_err().to_string();
    assert!(busy.contains("another process"), "{busy}");
    let Zoo { folder: _keep, service, .. } = zoo;
    drop(service);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    // A socket that nobody listens at.
    drop(UnixListener::bind(folder.join("control.sock")).unwrap());
    let again = start().unwrap();
    assert!(again.control().exists());
}

#[test]
fn a_socket_that_may_be_somebodys_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let machine = Arc::new(Simulated::open("broken").unwrap());
        Service::start(machine, &["07:00.0".parse().unwrap()], folder.path(), Arc::new(|_, _, _| {}))
    };
    let path = folder.path().join("0000:07:00.0.sock");
    // Connecting fails, and not because nobody is there: another user's socket refuses with another error.
    let other = UnixDatagram::bind(&path).unwrap();
    let error = start().map(drop).unwrap_err().to_string();
    assert!(error.contains("cannot be told"), "{error}");
    assert!(path.exists(), "it is not removed");
    drop(other);
    std::fs::remove_file(&path).unwrap();
    // Somebody puts another in the place of ours.
    let service = start().unwrap();
    std::fs::remove_file(&path).unwrap();
    let _another = UnixListener::bind(&path).unwrap();
    let control = service.control().to_path_buf();
    drop(service);
    assert!(path.exists(), "only what was made here is removed");
    assert!(!control.exists());
}

#[test]
fn a_start_that_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mine")).unwrap();
    for inner in ["a/b", "mine"] {
        let sockets = folder.path().join(inner);
        let machine = Arc::new(Simulated::open("broken").unwrap());
        let long = sockets.join("x".repeat(100));
        let observer: Observer = Arc::new(|_, _, _| {});
        assert!(Service::start(machine, &[], &long, observer).is_err());
    }
    assert!(!folder.path().join("a").exists());
    assert_eq!(std::fs::read_dir(folder.path().join("mine")).unwrap().count(), 0);
}

#[test]
fn without_addresses_no_bridge_of_any_kind_is_served() {
    let zoo = Zoo::serve_machine(Simulated::zoo(), &[]);
    let served: Vec<String> = zoo.service.functions().iter().map(|f| f.address.to_string()).collect();
    assert!(served.contains(&"0000:01:00.0".to_string()));
    for bridge in ["0000:00:00.0", "0000:00:1f.0", "0000:00:01.0"] {
        assert!(!served.contains(&bridge.to_string()), "{bridge}");
    }
    // By name it is served: it is an endpoint to the protocol.
    Zoo::serve_machine(Simulated::zoo(), &["00:1f.0"]);
}
