//! Functions that are served over vfio-user, seen by a client of that protocol.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use vfio_reset::Error;
use vfio_reset::machine::simulated::serve::{Event, Observer, Service};
use vfio_reset::machine::simulated::{ResetKind, Simulated};
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
        let folder = tempfile::tempdir().unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let log = events.clone();
        let observer: Observer = Arc::new(move |address, _, event| {
            if !matches!(event, Event::Read { .. } | Event::Write { .. }) {
                log.lock().unwrap().push(format!("{address} {event:?}"));
            }
        });
        let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let machine = Arc::new(Simulated::open("broken").unwrap());
        let service = Service::start(machine, &addresses, &folder.path().join("s"), observer).unwrap();
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
    drop(std::os::unix::net::UnixListener::bind(folder.join("control.sock")).unwrap());
    let again = start().unwrap();
    assert!(again.control().exists());
}
