//! Which line of a file a row begins in. The reader of CSV knows it of files whose lines end in a line feed alone: of others, and behind
//! blank lines, it is off.

/// Where the lines begin that have something in them, in all that was read.
#[derive(Debug)]
pub(super) struct Lines {
    /// Bytes that were read.
    read: u64,
    /// The line that is read now, counted from 1.
    line: u64,
    /// Nothing of it was read yet.
    is_blank: bool,
    /// The last byte was a carriage return: a line feed ends the same line.
    after_return: bool,
    /// The first byte of each line that is not blank, and which line it is.
    begun: Vec<(u64, u64)>,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self { read: 0, line: 1, is_blank: true, after_return: false, begun: Vec::new() }
    }

    /// Looks at what was read next.
    pub(super) fn look(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let ends_twice = *byte == b'\n' && self.after_return;
            self.after_return = *byte == b'\r';
            if matches!(byte, b'\n' | b'\r') {
                self.line += u64::from(!ends_twice);
                self.is_blank = true;
            } else if self.is_blank {
                self.begun.push((self.read, self.line));
                self.is_blank = false;
            }
            self.read += 1;
        }
    }

    /// The line of a row that the reader has found at this byte, or at the end of the line before it.
    pub(super) fn at(&self, byte: u64) -> u64 {
        let next = self.begun.partition_point(|(begin, _)| *begin < byte);
        self.begun.get(next).map_or(self.line, |(_, line)| *line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_known_by_its_first_byte_wherever_the_pieces_are_cut() {
        let text = b"a\rb\r\nc\n\r\n\nd\r\re";
        for cut in 0..text.len() {
            let mut lines = Lines::new();
            lines.look(&text[..cut]);
            lines.look(&text[cut..]);
            assert_eq!(lines.begun, [(0, 1), (2, 2), (5, 3), (10, 6), (13, 8)], "cut at {cut}");
        }
    }

    #[test]
    fn what_the_reader_finds_at_the_end_of_a_line_is_in_the_next_that_is_not_blank() {
        let mut lines = Lines::new();
        lines.look(b"a\r\n\r\nb\r\n");
        assert_eq!([0, 2, 3, 5, 7].map(|byte| lines.at(byte)), [1, 3, 3, 3, 4]);
    }
}
