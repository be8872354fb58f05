//! One pass over a request body: RFC 8259 to the letter, and the four named fields picked out on the way.
//!
//! Every byte is looked at a bounded number of times whatever the input (BODY-6), nesting is a
//! counter and one bit a level, and nothing is allocated but the text of a string that holds an
//! escape. What a found value means is `create.rs`'s business.

use std::borrow::Cow;
#[cfg(test)]
use std::cell::Cell;

use crate::fields::BodyFault::{self, NotAnObject, NotJson};
use crate::fields::{Fields, Found};

/// How deep arrays and objects may nest, the body's own object included (BODY-1).
pub(crate) const MAX_DEPTH: u32 = 127;

/// Reads one body.
pub(crate) fn scan(body: &[u8]) -> Result<Fields<'_>, BodyFault> {
    let text = simdutf8::basic::from_utf8(body).map_err(|_| NotJson)?;
    Scanner { text, ..Scanner::default() }.body()
}

#[derive(Default)]
struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Units of work done, for the tests of BODY-6.
    #[cfg(test)]
    steps: Cell<usize>,
}

impl<'a> Scanner<'a> {
    fn body(&mut self) -> Result<Fields<'a>, BodyFault> {
        let mut fields = Fields::default();
        self.space();
        let is_object = self.take(b'{');
        if is_object {
            self.members(&mut fields)?
        } else {
            self.value(0)?
        }
        self.space();
        match self.peek() {
            Some(_) => Err(NotJson),
            None if is_object => Ok(fields),
            None => Err(NotAnObject),
        }
    }

    /// The members of the body's own object, after its brace.
    fn members(&mut self, fields: &mut Fields<'a>) -> Result<(), BodyFault> {
        self.space();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.string()?;
            self.colon()?;
            match fields.named(&key) {
                Some(found) => found.note(self.named_value()?),
                None => self.value(1)?,
            }
            self.space();
            if self.take(b'}') {
                return Ok(());
            }
            self.expect(b',')?;
            self.space();
        }
    }

    fn named_value(&mut self) -> Result<Found<'a>, BodyFault> {
        match self.peek() {
            Some(b'"') => self.string().map(Found::Text),
            Some(b'n') => self.word("null").map(|()| Found::Null),
            _ => self.value(1).map(|()| Found::Other),
        }
    }

    /// Steps over one value that stands `depth` levels deep, without recursion: the kind of every
    /// open container is one bit, set for an object.
    fn value(&mut self, mut depth: u32) -> Result<(), BodyFault> {
        let floor = depth;
        let mut objects: u128 = 0;
        loop {
            self.space();
            match self.peek().ok_or(NotJson)? {
                open @ (b'{' | b'[') => {
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return Err(NotJson);
                    }
                    objects = objects << 1 | u128::from(open == b'{');
                    self.at += 1;
                    self.space();
                    if !self.take(open + 2) {
                        if open == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                    objects >>= 1;
                    depth -= 1;
                }
                b'"' => self.skip_string()?,
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => self.number()?,
            }
            // A value is complete: close what ends here, and go on where a comma says so.
            loop {
                if depth == floor {
                    return Ok(());
                }
                self.space();
                let in_object = objects & 1 == 1;
                if self.take(b',') {
                    if in_object {
                        self.space();
                        self.key()?;
                    }
                    break;
                }
                self.expect(if in_object { b'}' } else { b']' })?;
                objects >>= 1;
                depth -= 1;
            }
        }
    }

    fn key(&mut self) -> Result<(), BodyFault> {
        self.skip_string()?;
        self.colon()
    }

    fn colon(&mut self) -> Result<(), BodyFault> {
        self.space();
        self.expect(b':')?;
        self.space();
        Ok(())
    }

    fn number(&mut self) -> Result<(), BodyFault> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), BodyFault> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(()).ok_or(NotJson)
    }

    fn word(&mut self, word: &str) -> Result<(), BodyFault> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += word.len();
        rest.starts_with(word.as_bytes()).then_some(()).ok_or(NotJson)
    }

    /// Reads a string; borrowed unless it holds an escape.
    #[inline]
    fn string(&mut self) -> Result<Cow<'a, str>, BodyFault> {
        self.expect(b'"')?;
        let mut text = Cow::Borrowed(self.run()?);
        while !self.take(b'"') {
            let escaped = self.escape()?;
            text.to_mut().push(escaped);
            text.to_mut().push_str(self.run()?);
        }
        Ok(text)
    }

    fn skip_string(&mut self) -> Result<(), BodyFault> {
        self.expect(b'"')?;
        self.run()?;
        while !self.take(b'"') {
            self.escape()?;
            self.run()?;
        }
        Ok(())
    }

    /// The text up to the next quote, backslash or control character.
    #[inline]
    fn run(&mut self) -> Result<&'a str, BodyFault> {
        let start = self.at;
        let rest = self.text.as_bytes().get(start..).ok_or(NotJson)?;
        let length = plain_prefix(rest);
        #[cfg(test)]
        self.steps.set(self.steps.get() + length);
        self.at += length;
        self.text.get(start..self.at).ok_or(NotJson)
    }

    /// One escape, from its backslash on. A surrogate must be the first half of a pair.
    fn escape(&mut self) -> Result<char, BodyFault> {
        self.expect(b'\\')?;
        let letter = self.peek().ok_or(NotJson)?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.four_hex()?;
                if (0xD800..0xDC00).contains(&first) {
                    self.word("\\u")?;
                    let second = self.four_hex()?;
                    let low = second.wrapping_sub(0xDC00);
                    if low > 0x3FF {
                        return Err(NotJson);
                    }
                    char::from_u32(0x1_0000 + ((first - 0xD800) << 10 | low)).ok_or(NotJson)?
                } else {
                    char::from_u32(first).ok_or(NotJson)?
                }
            }
            _ => return Err(NotJson),
        })
    }

    fn four_hex(&mut self) -> Result<u32, BodyFault> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code << 4 | digit.ok_or(NotJson)?;
            self.at += 1;
        }
        Ok(code)
    }

    #[inline]
    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        #[cfg(test)]
        self.steps.set(self.steps.get() + 1);
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), BodyFault> {
        self.take(byte).then_some(()).ok_or(NotJson)
    }
}

/// How many bytes stand before the first quote, backslash or control character.
#[inline]
fn plain_prefix(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let mut length = 0;
    let (blocks, _) = bytes.as_chunks::<32>();
    for block in blocks {
        let mut ends = 0u8;
        for &byte in block {
            ends |= u8::from(byte == b'"') | u8::from(byte == b'\\') | u8::from(byte < 0x20);
        }
        if ends != 0 {
            break;
        }
        length += 32;
    }
    let (words, _) = bytes.get(length..).unwrap_or_default().as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (ONES * u64::from(b'"'));
        let backslash = word ^ (ONES * u64::from(b'\\'));
        // Each term has the high bit of a byte set where that byte is zero, or below 0x20; the
        // lowest set bit is exact, and only that one is used.
        let ends = quote.wrapping_sub(ONES) & !quote
            | backslash.wrapping_sub(ONES) & !backslash
            | word.wrapping_sub(ONES * 0x20) & !word;
        if ends & HIGHS != 0 {
            return length + ((ends & HIGHS).trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    let tail = bytes.get(length..).unwrap_or_default();
    let is_end = |&byte: &u8| byte == b'"' || byte == b'\\' || byte < 0x20;
    length + tail.iter().position(is_end).unwrap_or(tail.len())
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
