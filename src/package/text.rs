//! The texts in a package: ASCII, UTF-8, or UTF-16, with or without a mark of their byte order.

use super::fault::PackageFault;

/// Returns the text of a member without the mark of its byte order. Refuses bytes that are not a text.
pub(super) fn decode(bytes: &[u8], member: &str) -> Result<String, PackageFault> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        // Without a mark, an ASCII letter in UTF-16 has one byte of zero.
        [letter, 0, ..] if *letter != 0 => utf16(bytes, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        _ => utf8(bytes),
    };
    match text {
        Some(text) if !text.contains('\0') => Ok(text),
        _ => Err(PackageFault::damaged(member, "it is not a text")),
    }
}

fn utf8(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let pairs = bytes.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    let units = pairs.filter_map(|pair| pair.first_chunk::<2>().copied().map(unit));
    char::decode_utf16(units).collect::<Result<String, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_coding_are_equal() {
        let little: Vec<u8> = "KB=\"ü\"\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "KB=\"ü\"\r\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let codings = [
            "KB=\"ü\"\r\n".as_bytes().to_vec(),
            ["\u{feff}".as_bytes(), "KB=\"ü\"\r\n".as_bytes()].concat(),
            little.clone(),
            [&[0xff, 0xfe][..], &little].concat(),
            [&[0xfe, 0xff][..], &big].concat(),
        ];
        for bytes in codings {
            assert_eq!(decode(&bytes, "a.txt").unwrap(), "KB=\"ü\"\r\n", "{bytes:?}");
        }
        assert_eq!(decode(b"", "a.txt").unwrap(), "");
        for bytes in [&b"\xff\xfea"[..], b"a\xff", b"\0\0", b"\xff\xfe\0\xd8"] {
            let fault = decode(bytes, "a.txt").unwrap_err();
            assert_eq!(fault.to_string(), "the member a.txt is damaged: it is not a text");
        }
    }
}
