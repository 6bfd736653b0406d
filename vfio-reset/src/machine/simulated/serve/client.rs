//! One client after the other at a function, whatever they send.

use super::Event;
use super::function::Function;
use super::socket::{self, Socket};
use std::any::Any;
use std::io;
use std::os::unix::net::UnixListener;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Serves until nobody can be accepted any more.
pub(super) fn serve(socket: &Socket, listener: UnixListener, mut function: Function, stopping: &AtomicBool) {
    let server =
        vfio_user::Server::from_owned_fd(listener.into(), true, function.interrupts(), function.regions());
    let mut is_waiting = false;
    loop {
        socket.wait();
        // The protocol's library panics on some malformed messages; a client that sends such must not take the
        // others' functions with it.
        let ended = std::panic::catch_unwind(AssertUnwindSafe(|| server.run(&mut function)));
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        match ended {
            Ok(Err(vfio_user::Error::SocketAccept(error))) if socket::may_pass(&error) => {
                // Once is enough for a lack that lasts.
                if !std::mem::replace(&mut is_waiting, true) {
                    function.tell(&Event::Waiting(&error.to_string()));
                }
                thread::sleep(socket::PAUSE);
                continue;
            }
            Ok(Err(vfio_user::Error::SocketAccept(error))) => {
                function.disconnected(Some(&format!("no client can be taken any more: {error}")));
                socket.close();
                return;
            }
            Ok(Ok(())) => function.disconnected(None),
            Ok(Err(error)) if has_left(&error) => function.disconnected(None),
            Ok(Err(error)) => function.disconnected(Some(&error.to_string())),
            Err(panic) => {
                let text = panic_text(panic.as_ref());
                let reason = match function.take_inside() {
                    true => format!("the fault is vfio-reset's own, please report it: {text}"),
                    false => format!("it sent a malformed message: {text}"),
                };
                function.disconnected(Some(&reason));
            }
        }
        is_waiting = false;
    }
}

/// Whether a client has just gone, with an answer unread or a message unfinished because it was killed.
fn has_left(error: &vfio_user::Error) -> bool {
    let is_gone = |error: &io::Error| {
        matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
    };
    match error {
        vfio_user::Error::ReceiveWithFd(error) => is_gone(&io::Error::from_raw_os_error(error.errno())),
        vfio_user::Error::StreamRead(error) | vfio_user::Error::StreamWrite(error) => is_gone(error),
        _ => false,
    }
}

/// What a panic says.
fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without words").replace('\n', " ")
}
