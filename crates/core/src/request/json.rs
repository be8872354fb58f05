//! A scanner of request bodies: one pass that checks RFC 8259 and picks out the named fields.
//!
//! Each byte is examined a bounded number of times, whatever the input (BODY-6). Only strings with escapes
//! allocate.

mod members;

use std::borrow::Cow;

use crate::request::raw::BodyFault::{self, NotAnObject, NotJson};
use crate::request::raw::{RawFields, RawValue};

pub(super) use self::members::{members, text};

/// The most levels of nested arrays and objects, including the body's own object (BODY-1).
pub(crate) const MAX_DEPTH: u32 = 127;

/// Scans a body into `fields`, which are valid only if this succeeds.
pub(crate) fn scan<'a>(
    body: &'a [u8],
    fields: &mut RawFields<Cow<'a, str>>,
) -> Result<(), BodyFault> {
    let text = simdutf8::basic::from_utf8(body).map_err(|_| NotJson)?;
    Scanner { text }.body(fields)
}

struct Scanner<'a> {
    text: &'a str,
}

/// The position after a token. Positions are passed by value, so that they stay in registers.
type End = Result<usize, BodyFault>;

impl<'a> Scanner<'a> {
    fn body(&self, fields: &mut RawFields<Cow<'a, str>>) -> Result<(), BodyFault> {
        let start = self.space(0);
        let is_object = self.byte(start) == Some(b'{');
        let end = if is_object { self.members(start + 1, fields) } else { self.value(start, 0) };
        match self.byte(self.space(end?)) {
            Some(_) => Err(NotJson),
            None if is_object => Ok(()),
            None => Err(NotAnObject),
        }
    }

    /// Scans the members of the body's own object, from after its brace.
    fn members(&self, start: usize, fields: &mut RawFields<Cow<'a, str>>) -> End {
        let mut at = self.space(start);
        if self.byte(at) == Some(b'}') {
            return Ok(at + 1);
        }
        loop {
            let rest = self.text.as_bytes().get(at..).unwrap_or_default();
            let (found, value) = match fields.keyed(rest) {
                Some((found, length)) => {
                    #[cfg(test)]
                    tests::count_steps(length);
                    (Some(found), self.space(at + length))
                }
                None => {
                    let (key, end) = self.string(at)?;
                    (fields.named(&key), self.colon(end)?)
                }
            };
            at = match found {
                Some(found) => self.named_value(value, found)?,
                None => self.value(value, 1)?,
            };
            at = self.space(at);
            match self.byte(at) {
                Some(b',') => at = self.space(at + 1),
                Some(b'}') => return Ok(at + 1),
                _ => return Err(NotJson),
            }
        }
    }

    fn named_value(&self, at: usize, found: &mut RawValue<Cow<'a, str>>) -> End {
        let (value, end) = match self.byte(at) {
            Some(b'"') => self.string(at).map(|(text, end)| (RawValue::Text(text), end))?,
            Some(b'n') => (RawValue::Null, self.value(at, 1)?),
            _ => (RawValue::Other, self.value(at, 1)?),
        };
        found.note(value);
        Ok(end)
    }

    /// Skips one value at depth `depth` without recursion: one bit per open container tells an object from an
    /// array.
    #[inline(never)]
    fn value(&self, mut at: usize, mut depth: u32) -> End {
        let floor = depth;
        let mut objects: u128 = 0;
        loop {
            at = self.space(at);
            at = match self.byte(at).ok_or(NotJson)? {
                b'{' | b'[' if depth == MAX_DEPTH => return Err(NotJson),
                open @ (b'{' | b'[') => {
                    at = self.space(at + 1);
                    if self.byte(at) == Some(open + 2) {
                        at + 1
                    } else {
                        depth += 1;
                        objects = objects << 1 | u128::from(open == b'{');
                        at = if open == b'{' { self.key(at)? } else { at };
                        continue;
                    }
                }
                b'"' => self.string(at)?.1,
                b't' => self.word(at, b"true")?,
                b'f' => self.word(at, b"false")?,
                b'n' => self.word(at, b"null")?,
                _ => self.number(at)?,
            };
            // A value is complete: close the containers that end here, and continue after a comma.
            loop {
                if depth == floor {
                    return Ok(at);
                }
                at = self.space(at);
                let in_object = objects & 1 == 1;
                if self.byte(at) == Some(b',') {
                    at = if in_object { self.key(at + 1)? } else { at + 1 };
                    break;
                }
                at = self.expect(at, if in_object { b'}' } else { b']' })?;
                objects >>= 1;
                depth -= 1;
            }
        }
    }

    fn key(&self, at: usize) -> End {
        self.colon(self.string(self.space(at))?.1)
    }

    fn colon(&self, at: usize) -> End {
        Ok(self.space(self.expect(self.space(at), b':')?))
    }

    fn number(&self, mut at: usize) -> End {
        at += usize::from(self.byte(at) == Some(b'-'));
        at = if self.byte(at) == Some(b'0') { at + 1 } else { self.digits(at)? };
        if self.byte(at) == Some(b'.') {
            at = self.digits(at + 1)?;
        }
        if let Some(b'e' | b'E') = self.byte(at) {
            let is_signed = matches!(self.byte(at + 1), Some(b'+' | b'-'));
            at = self.digits(at + 1 + usize::from(is_signed))?;
        }
        Ok(at)
    }

    fn digits(&self, start: usize) -> End {
        let mut at = start;
        while self.byte(at).is_some_and(|byte| byte.is_ascii_digit()) {
            at += 1;
        }
        if at > start { Ok(at) } else { Err(NotJson) }
    }

    fn word(&self, at: usize, word: &[u8]) -> End {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        if rest.starts_with(word) { Ok(at + word.len()) } else { Err(NotJson) }
    }

    /// Reads a string; borrows unless it has an escape.
    #[inline(always)]
    fn string(&self, at: usize) -> Result<(Cow<'a, str>, usize), BodyFault> {
        let start = self.expect(at, b'"')?;
        let end = self.run(start);
        match self.byte(end) {
            Some(b'"') => Ok((Cow::Borrowed(self.slice(start, end)?), end + 1)),
            _ => self.escaped(start, end).map(|(text, end)| (Cow::Owned(text), end)),
        }
    }

    #[inline(never)]
    fn escaped(&self, mut start: usize, mut end: usize) -> Result<(String, usize), BodyFault> {
        let mut text = String::with_capacity(2 * (end - start) + 64);
        loop {
            text.push_str(self.slice(start, end)?);
            if self.byte(end) == Some(b'"') {
                return Ok((text, end + 1));
            }
            let escape;
            (escape, start) = self.escape(end)?;
            text.push(escape);
            end = self.run(start);
        }
    }

    #[inline]
    fn slice(&self, start: usize, end: usize) -> Result<&'a str, BodyFault> {
        self.text.get(start..end).ok_or(NotJson)
    }

    /// Returns the position of the next quote, backslash or control character, or the end.
    #[inline]
    fn run(&self, start: usize) -> usize {
        let length = plain_prefix(self.text.as_bytes().get(start..).unwrap_or_default());
        #[cfg(test)]
        tests::count_steps(length);
        start + length
    }

    /// Reads an escape, starting at its backslash. A surrogate must be the first half of a pair.
    fn escape(&self, at: usize) -> Result<(char, usize), BodyFault> {
        let letter = self.byte(self.expect(at, b'\\')?).ok_or(NotJson)?;
        let character = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.four_hex(at)?;
                let is_half = (0xD800..0xDC00).contains(&first);
                let second = if is_half { Some(self.four_hex(at + 6)?) } else { None };
                let mut decoded = char::decode_utf16([first].into_iter().chain(second));
                let character = decoded.next().and_then(Result::ok).ok_or(NotJson)?;
                return Ok((character, at + if is_half { 12 } else { 6 }));
            }
            _ => return Err(NotJson),
        };
        Ok((character, at + 2))
    }

    /// Reads the code unit of an escape of the form `\u0000`.
    fn four_hex(&self, at: usize) -> Result<u16, BodyFault> {
        let start = self.word(at, b"\\u")?;
        (start..start + 4).try_fold(0, |code, at| {
            let digit = self.byte(at).and_then(|byte| char::from(byte).to_digit(16));
            Ok(code << 4 | u16::try_from(digit.ok_or(NotJson)?).map_err(|_| NotJson)?)
        })
    }

    #[inline]
    fn space(&self, mut at: usize) -> usize {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte(at) {
            at += 1;
        }
        at
    }

    #[inline]
    fn byte(&self, at: usize) -> Option<u8> {
        #[cfg(test)]
        tests::count_steps(1);
        self.text.as_bytes().get(at).copied()
    }

    #[inline]
    fn expect(&self, at: usize, byte: u8) -> End {
        if self.byte(at) == Some(byte) { Ok(at + 1) } else { Err(NotJson) }
    }
}

/// Returns the number of bytes before the first one that ends a run. Reads words, and blocks if the run is
/// long.
#[inline]
fn plain_prefix(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((word, behind)) = rest.split_first_chunk() {
        let ends = ends(u64::from_le_bytes(*word));
        if ends != 0 {
            return bytes.len() - rest.len() + (ends.trailing_zeros() / 8) as usize;
        }
        rest = behind;
        if bytes.len() - rest.len() == 16 {
            rest = rest.get(plain_blocks(rest)..).unwrap_or_default();
        }
    }
    let tail = rest.iter().position(|&byte| is_end(byte)).unwrap_or(rest.len());
    bytes.len() - rest.len() + tail
}

#[inline]
fn is_end(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < 0x20)
}

/// Returns a word with the high bit set in each byte that ends a run. Bits above the lowest set one may be
/// wrong, since a borrow propagates upwards; only the lowest is used.
#[inline]
fn ends(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let quote = word ^ (ONES * u64::from(b'"'));
    let backslash = word ^ (ONES * u64::from(b'\\'));
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
    (below(quote, 1) | below(backslash, 1) | below(word, 0x20)) & (ONES << 7)
}

/// Returns the number of leading bytes in whole blocks without the end of a run. The compiler vectorises it.
#[inline(never)]
fn plain_blocks(bytes: &[u8]) -> usize {
    let ends = |block: &[u8]| block.iter().fold(0, |ends, &byte| ends | u8::from(is_end(byte)));
    let large = bytes.as_chunks::<128>().0.iter().take_while(|block| ends(*block) == 0).count();
    let rest = bytes.get(128 * large..).unwrap_or_default();
    let small = rest.as_chunks::<16>().0.iter().take_while(|block| ends(*block) == 0).count();
    128 * large + 16 * small
}

#[cfg(test)]
mod tests;
