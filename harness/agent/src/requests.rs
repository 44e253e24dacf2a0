//! The host's requests, a line each; and how to wait for one of them while everything else stands still.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use bytes::BytesMut;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::{AsyncRead, AsyncReadExt};

/// How much is read at once, at most.
const READ_BYTES: usize = 16 << 10;

/// Where requests come from.
pub struct Requests {
    reader: Box<dyn AsyncRead + Unpin>,
    /// The same input, for who waits for it without the runtime.
    input: Option<OwnedFd>,
    /// What has been read and not yet given out.
    buffer: BytesMut,
}

impl Requests {
    /// The lines of this reader, for which nobody can wait without the runtime.
    pub fn new(reader: impl AsyncRead + Unpin + 'static) -> Self {
        Self {
            reader: Box::new(reader),
            input: None,
            buffer: BytesMut::new(),
        }
    }

    /// The same, where this is the reader's input, which does not block.
    #[must_use]
    pub fn with_input(self, input: OwnedFd) -> Self {
        Self {
            input: Some(input),
            ..self
        }
    }

    /// Whether [`block_until`](Self::block_until) can be.
    pub(crate) fn can_block(&self) -> bool {
        self.input.is_some()
    }

    /// The next line; `None` at the end. What was read by then stays if this is dropped before it is done.
    pub(crate) async fn next(&mut self) -> Option<BytesMut> {
        loop {
            if let Some(end) = end_of_line(&self.buffer) {
                let mut line = self.buffer.split_to(end + 1);
                line.truncate(end);
                return Some(line);
            }
            self.buffer.reserve(READ_BYTES);
            if let Ok(0) | Err(_) = self.reader.read_buf(&mut self.buffer).await {
                return None;
            }
        }
    }

    /// Blocks this thread, and with it everything that runs on it, until the line comes that is wanted. All others stay
    /// to be read, in their order. `None` when the input ends before.
    ///
    /// # Errors
    ///
    /// When there is nothing to wait for without the runtime, or it cannot be read.
    pub(crate) fn block_until<T>(
        &mut self,
        wanted: impl Fn(&[u8]) -> Option<T>,
    ) -> io::Result<Option<T>> {
        let input = self.input.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        let mut begin = 0;
        loop {
            while let Some(length) = end_of_line(&self.buffer[begin..]) {
                let end = begin + length;
                if let Some(found) = wanted(&self.buffer[begin..end]) {
                    let later = self.buffer.split_off(end + 1);
                    self.buffer.truncate(begin);
                    self.buffer.unsplit(later);
                    return Ok(Some(found));
                }
                begin = end + 1;
            }
            let mut ready = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
            let mut read = [0; READ_BYTES];
            let length = poll(&mut ready, PollTimeout::NONE)
                .and_then(|_| nix::unistd::read(input, &mut read));
            match length {
                Ok(0) => return Ok(None),
                Ok(length) => self.buffer.extend_from_slice(&read[..length]),
                // Somebody else's signal, or nothing after all.
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn end_of_line(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n')
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use std::io::Write;
    use tokio::net::unix::pipe;

    fn pair() -> (Requests, std::io::PipeWriter) {
        let (reader, writer) = std::io::pipe().unwrap();
        let reader = pipe::Receiver::from_owned_fd(reader.into()).unwrap();
        let input = reader.as_fd().try_clone_to_owned().unwrap();
        (Requests::new(reader).with_input(input), writer)
    }

    fn is(wanted: &'static str) -> impl Fn(&[u8]) -> Option<()> {
        move |line| (line == wanted.as_bytes()).then_some(())
    }

    async fn rest(mut requests: Requests) -> Vec<BytesMut> {
        let mut lines = Vec::new();
        while let Some(line) = requests.next().await {
            lines.push(line);
        }
        lines
    }

    #[tokio::test]
    async fn lines_are_given_as_they_were_written_and_a_part_of_one_is_none() {
        let (host, input) = tokio::io::duplex(5);
        let write = async move {
            let mut host = host;
            tokio::io::AsyncWriteExt::write_all(&mut host, b"first\n\nsecond and long\npart")
                .await
                .unwrap();
        };
        let (lines, ()) = tokio::join!(rest(Requests::new(input)), write);
        assert_eq!(lines, ["first", "", "second and long"]);
    }

    #[tokio::test]
    async fn what_is_waited_for_is_taken_out_and_all_else_is_read_later() {
        let (mut requests, mut host) = pair();
        host.write_all(b"one\ntwo\nthr").unwrap();
        assert_eq!(requests.next().await.unwrap(), "one");
        host.write_all(b"ee\nfour\nen").unwrap();
        let host = std::thread::spawn(move || {
            host.write_all(b"d\nfive\n").unwrap();
        });
        assert_eq!(requests.block_until(is("end")).unwrap(), Some(()));
        host.join().unwrap();
        assert_eq!(rest(requests).await, ["two", "three", "four", "five"]);
    }

    #[tokio::test]
    async fn nothing_is_waited_for_longer_than_there_is_somebody_to_say_it() {
        let (mut requests, mut host) = pair();
        host.write_all(b"other\n").unwrap();
        drop(host);
        assert_eq!(requests.block_until(is("end")).unwrap(), None);
        assert_eq!(rest(requests).await, ["other"]);
        let mut without = Requests::new(tokio::io::empty());
        assert!(!without.can_block());
        assert!(without.block_until(is("end")).is_err());
    }
}
