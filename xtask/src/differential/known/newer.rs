//! What versions after ours print.

use super::Difference;
use super::edit::Printed;

pub(super) const ALL: &[Difference] = &[Difference::from(
    (3, 15, 0),
    "3.15: interrupts in a form of their own (its pins A to D are B to E)",
    interrupts,
)];

const COMMAND: usize = 0x04;
const HEADER_TYPE: usize = 0x0e;
const INTERRUPT_LINE: usize = 0x3c;
const INTERRUPT_DISABLE: u16 = 1 << 10;

/// `Interrupt: pin A routed to IRQ 9` became `Interrupts: pin A routed to IRQ 9`, without an IRQ if there is none,
/// `disabled` if INTx is, and nothing if there is no pin then, or no header that is known. 3.15.0 has its letters off by one.
fn interrupts(printed: &mut Printed<'_>) {
    // Pin 10 is a line end.
    while let Some(at) = printed.ours.iter().position(|line| line == "\tInterrupt: pin \n") {
        let rest = if at + 1 < printed.ours.len() { printed.ours.remove(at + 1) } else { String::new() };
        printed.ours[at] = format!("\tInterrupt: pin {rest}");
    }
    let Some(place) = printed.ours.iter().position(|line| line.starts_with("\tInterrupt: pin ")) else {
        return;
    };
    let byte = |at: usize| printed.bytes.get(at).copied().unwrap_or_default();
    let readable = printed.bytes.len() >= 64 && byte(HEADER_TYPE) & 0x7f <= 2;
    let (line, pin) = (byte(INTERRUPT_LINE), byte(INTERRUPT_LINE + 1));
    let disabled = printed.word(COMMAND) & INTERRUPT_DISABLE != 0;
    if !readable || disabled && pin == 0 {
        printed.ours.remove(place);
        return;
    }
    let name = match pin {
        0 => "unknown pin".to_owned(),
        1..=4 => format!("pin {}", char::from(b'A' + pin)),
        _ => format!("pin #{pin}"),
    };
    let route = match (disabled, line) {
        (true, _) => " disabled".to_owned(),
        (false, 0) => String::new(),
        (false, line) => format!(" routed to IRQ {line}"),
    };
    printed.ours[place] = format!("\tInterrupts: {name}{route}\n");
}
