//! Bytes in, text out, the same bytes again.
#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

fn text_of(bytes: &[u8]) -> (String, FileMeta, bool) {
    match read_text(bytes) {
        Content::Text { text, meta, exact } => (text, meta, exact),
        Content::Binary { reason } => panic!("not text: {reason}"),
    }
}

#[test]
fn utf_8_with_and_without_mark() {
    let (text, meta, exact) = text_of("grüße 👍\n".as_bytes());
    assert_eq!(
        (text.as_str(), meta.encoding.as_str(), meta.byte_order_mark, exact),
        ("grüße 👍\n", "UTF-8", false, true)
    );
    let (text, meta, exact) = text_of(b"\xef\xbb\xbfa\r\nb\r\n");
    assert_eq!((text.as_str(), meta.byte_order_mark, meta.line_end, exact), ("a\nb\n", true, LineEnd::CrLf, true));
}

#[test]
fn utf_16_has_nul_bytes_and_is_text() {
    for (label, mark, to_bytes) in [
        ("UTF-16LE", [0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]),
        ("UTF-16BE", [0xfe, 0xff], u16::to_be_bytes),
    ] {
        let mut bytes = mark.to_vec();
        bytes.extend("x = \"👍\"\r\n".encode_utf16().flat_map(to_bytes));
        let (text, meta, exact) = text_of(&bytes);
        assert_eq!((text.as_str(), meta.encoding.as_str(), exact), ("x = \"👍\"\n", label, true));
        assert_eq!(write_text(&text, &meta), bytes);
    }
}

#[test]
fn latin_is_a_guess_that_writes_back() {
    let (text, meta, exact) = text_of(b"na\xefve caf\xe9 \x80 5\n");
    assert_eq!((text.as_str(), meta.encoding.as_str(), exact), ("naïve café € 5\n", "windows-1252", true));
    assert_eq!(write_text("né\n", &meta), b"n\xe9\n");
}

#[test]
fn a_character_that_the_encoding_lacks_is_not_lost() {
    let (_, meta, _) = text_of(b"caf\xe9\n");
    assert_eq!(meta_that_fits("café", &meta), meta);
    let fitting = meta_that_fits("café → tea", &meta);
    assert_eq!(fitting.encoding, "UTF-8");
    assert_eq!(write_text("café → tea", &meta), "café → tea".as_bytes());
}

#[test]
fn binaries_are_kept_whole() {
    for bytes in
        [&b"\x7fELF\x02\x01\x00"[..], b"\x89PNG\r\n\x1a\n\x81", b"a\0b", b"\xff\xfe\x00\x00a\x00\x00\x00", b"\xff\xfea"]
    {
        assert_eq!(read_text(bytes), Content::Binary { reason: WholeReason::NotText }, "{bytes:?}");
    }
}

#[test]
fn mixed_line_ends_follow_the_majority_and_are_said() {
    let (text, meta, exact) = text_of(b"a\r\nb\r\nc\nd\re");
    assert_eq!((text.as_str(), meta.line_end, exact), ("a\nb\nc\nd\ne", LineEnd::Lf, false));
    let (_, meta, exact) = text_of(b"a\r\nb\r\nc\n");
    assert_eq!((meta.line_end, exact), (LineEnd::CrLf, false));
    let (text, meta, exact) = text_of(b"caf\xe9\r\nx\n");
    assert_eq!((text.as_str(), meta.encoding.as_str(), exact), ("café\nx\n", "windows-1252", false));
}

#[test]
fn limits_are_exact() {
    let fits = vec![b'x'; TEXT_FILE_BYTES_MAX as usize];
    assert!(matches!(read_text(&fits), Content::Text { exact: true, .. }));
    let over = vec![b'x'; TEXT_FILE_BYTES_MAX as usize + 1];
    assert_eq!(read_text(&over), Content::Binary { reason: WholeReason::TooManyBytes });
    let lines = vec![b'\n'; TEXT_FILE_LINES_MAX as usize - 1];
    assert!(matches!(read_text(&lines), Content::Text { .. }));
    let lines = vec![b'\n'; TEXT_FILE_LINES_MAX as usize];
    assert_eq!(read_text(&lines), Content::Binary { reason: WholeReason::TooManyLines });
}

#[test]
fn reopened_in_an_encoding_of_choice() {
    let bytes = encoding_rs::SHIFT_JIS.encode("日本語\n").0.into_owned();
    let Content::Text { text, meta, exact } = decode_as(&bytes, "sjis").unwrap() else { panic!("binary") };
    assert_eq!((text.as_str(), meta.encoding.as_str(), exact), ("日本語\n", "Shift_JIS", true));
    assert_eq!(write_text("日本\n", &meta), encoding_rs::SHIFT_JIS.encode("日本\n").0.as_ref());
    let Content::Text { text, exact, .. } = decode_as(b"caf\xe9", "utf-8").unwrap() else { panic!("binary") };
    assert_eq!((text.as_str(), exact), ("caf\u{fffd}", false));
    assert_eq!(decode_as(b"", "klingon").unwrap_err().to_string(), "“klingon” is not an encoding that CodeSync knows.");
    assert!(decode_as(b"", "hz-gb-2312").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn exact_means_identical_bytes(bytes in proptest::collection::vec(prop_oneof![
        Just(b'\n'), Just(b'\r'), 0x20_u8..0x7f, any::<u8>()], 0..80))
    {
        if let Content::Text { text, meta, exact } = read_text(&bytes) {
            prop_assert_eq!(exact, write_text(&text, &meta) == bytes);
            prop_assert!(!text.contains('\r') && !text.contains('\0'));
        }
    }

    #[test]
    fn what_is_written_reads_back(text in "[a-zé👍\n ]{0,40}", mark: bool, crlf: bool, wide in 0..3) {
        let encoding = ["UTF-8", "UTF-16LE", "UTF-16BE"][wide as usize];
        let line_end = if crlf { LineEnd::CrLf } else { LineEnd::Lf };
        let meta = FileMeta { encoding: encoding.into(), byte_order_mark: mark || wide > 0, line_end, mode: 0, raw: None };
        let bytes = write_text(&text, &meta);
        match read_text(&bytes) {
            Content::Text { text: again, meta: meta_again, exact } => {
                prop_assert!(exact);
                prop_assert_eq!(again, text.clone());
                prop_assert_eq!(meta_again.encoding, encoding);
                prop_assert_eq!(meta_again.line_end == line_end, text.contains('\n') || !crlf);
            }
            Content::Binary { reason } => prop_assert!(false, "{}", reason),
        }
    }
}
