#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

const FROM: [u8; 32] = [1; 32];
const TO: [u8; 32] = [2; 32];

fn key() -> DeviceKey {
    DeviceKey::from_seed(&[7; 32])
}

fn card() -> Card {
    let shares = Some(Shared::new(&ProjectId([9; 16]), "parser-lab", 2));
    Card { device: key().device(), about: About::new("Asha", "ThinkPad-Asha"), shares, invites: true }
}

fn sent(message: &CardMessage) -> Vec<u8> {
    message.encode(&key(), &FROM, &TO)
}

#[test]
fn what_is_sent_is_read() {
    let all =
        [CardMessage::Card(card()), CardMessage::Hint(card_hint(&key().device(), &FROM, &TO)), CardMessage::Withdrawn];
    for message in all {
        assert_eq!(CardMessage::decode(&sent(&message), &FROM, &TO), Ok(message));
    }
}

#[test]
fn names_on_cards_are_read_without_what_cannot_be_seen_in_them() {
    let mut loud = card();
    loud.about = About { person: "As\u{202e}ha".into(), device_name: "Think\u{1b}Pad-Asha".into() };
    loud.shares.as_mut().unwrap().name = "parser\u{200b}-lab".into();
    assert_eq!(CardMessage::decode(&sent(&CardMessage::Card(loud)), &FROM, &TO), Ok(CardMessage::Card(card())));
}

#[test]
fn a_card_is_of_its_device_and_its_connection_alone() {
    let bytes = sent(&CardMessage::Card(card()));
    for (from, to) in [(TO, FROM), (FROM, [3; 32]), ([3; 32], TO)] {
        assert_eq!(CardMessage::decode(&bytes, &from, &to), Err(CardError::Forged));
    }
    let others = CardMessage::Card(card()).encode(&DeviceKey::from_seed(&[8; 32]), &FROM, &TO);
    assert_eq!(CardMessage::decode(&others, &FROM, &TO), Err(CardError::Forged));
    // The curve's neutral point has a signature that fits everything, if weak keys are taken.
    let mut weak = card();
    weak.device = DeviceId([0; 32]);
    weak.device.0[0] = 1;
    assert!(CardMessage::decode(&sent(&CardMessage::Card(weak)), &FROM, &TO).is_err());
}

#[test]
fn every_changed_bit_of_a_card_is_noticed() {
    let bytes = sent(&CardMessage::Card(card()));
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!matches!(CardMessage::decode(&changed, &FROM, &TO), Ok(CardMessage::Card(_))), "bit {bit}");
    }
}

#[test]
fn what_is_too_long_is_not_read_and_never_sent() {
    let long = "ä".repeat(10_000);
    let shares = Some(Shared::new(&ProjectId([9; 16]), &long, u32::MAX));
    let longest = Card { about: About::new(&long, &long), shares, ..card() };
    let bytes = sent(&CardMessage::Card(longest));
    assert!(bytes.len() <= CARD_BYTES_MAX && CardMessage::decode(&bytes, &FROM, &TO).is_ok());
    let mut above = card();
    above.about.person = "x".repeat(NAME_BYTES_MAX + 1);
    assert_eq!(CardMessage::decode(&sent(&CardMessage::Card(above)), &FROM, &TO), Err(CardError::Malformed));
    let mut padded = sent(&CardMessage::Withdrawn);
    padded.push(0);
    assert_eq!(CardMessage::decode(&padded, &FROM, &TO), Err(CardError::Malformed));
    assert_eq!(CardMessage::decode(&[2, 0], &FROM, &TO), Err(CardError::Version(2)));
    assert_eq!(CardMessage::decode(&[], &FROM, &TO), Err(CardError::Malformed));
}

#[test]
fn golden_bytes() {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let all = [
        ("hint", CardMessage::Hint(card_hint(&key().device(), &FROM, &TO))),
        ("card", CardMessage::Card(card())),
        ("shares nothing", CardMessage::Card(Card { shares: None, invites: false, ..card() })),
        ("withdrawn", CardMessage::Withdrawn),
    ];
    let golden: String = all.iter().map(|(name, message)| format!("{name}: {}\n", hex(&sent(message)))).collect();
    expect_test::expect_file!["golden-cards.txt"].assert_eq(&golden);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 0..4u8) {
        let versioned = [&[1, kind][..], &bytes].concat();
        for bytes in [&bytes, &versioned] {
            let read = CardMessage::decode(bytes, &FROM, &TO);
            prop_assert!(!matches!(read, Ok(CardMessage::Card(_))));
        }
    }
}
