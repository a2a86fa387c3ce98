#![allow(clippy::unwrap_used)]
use super::*;
use jsonwebtoken::encode;
use proptest::prelude::*;

const NOW_S: u64 = 1_790_000_000;
const PROJECT: ProjectId = ProjectId([5; 16]);
const PEER: [u8; 32] = [7; 32];

fn key() -> DeviceKey {
    DeviceKey::from_seed(&[3; 32])
}

fn pass() -> Pass {
    Pass { project: PROJECT, peer: PEER, role: Role::Editor, access_head: DeltaHash([8; 32]), id: [9; 16] }
}

fn claims() -> Claims {
    jsonwebtoken::dangerous::insecure_decode_claims(pass().issue(&key(), NOW_S, TOKEN_SECONDS_MAX)).unwrap()
}

fn signed(claims: &impl Serialize) -> String {
    let key = EncodingKey::from_ed_der(&private_key_der(&key()));
    encode(&Header::new(Algorithm::EdDSA), claims, &key).unwrap()
}

fn verified(token: &str) -> Result<Verified, TokenError> {
    verify_token(token, &PROJECT, &PEER, NOW_S)
}

/// Unpadded base64 with the two letters of addresses.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let sextets = bytes.chunks(3).flat_map(|chunk| {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        (0..=chunk.len()).map(move |n| LETTERS[(bits >> (18 - 6 * n) & 63) as usize] as char)
    });
    sextets.collect()
}

#[test]
fn a_good_token_says_who_and_until_when() {
    let token = pass().issue(&key(), NOW_S, 600);
    let verified = verified(&token).unwrap();
    let expected = Verified {
        device: key().device(),
        role: Role::Editor,
        access_head: DeltaHash([8; 32]),
        id: [9; 16],
        until_s: NOW_S + 600,
    };
    assert_eq!(verified, expected);
    assert!(token.len() < TOKEN_BYTES_MAX / 2, "{}", token.len());
}

#[test]
fn it_is_worth_nothing_elsewhere() {
    let token = pass().issue(&key(), NOW_S, 600);
    assert_eq!(verify_token(&token, &ProjectId([6; 16]), &PEER, NOW_S), Err(TokenError::Project));
    // Taken from one connection and replayed over another.
    assert_eq!(verify_token(&token, &PROJECT, &[1; 32], NOW_S), Err(TokenError::Connection));
}

#[test]
fn it_stands_for_a_quarter_of_an_hour_at_most() {
    let token = pass().issue(&key(), NOW_S, 100_000);
    let at = |now_s| verify_token(&token, &PROJECT, &PEER, now_s).map(|verified| verified.until_s);
    let until_s = NOW_S + TOKEN_SECONDS_MAX;
    assert_eq!(at(NOW_S), Ok(until_s));
    assert_eq!(at(until_s + LEEWAY_SECONDS - 1), Ok(until_s));
    assert_eq!(at(until_s + LEEWAY_SECONDS), Err(TokenError::RunOut));
    assert_eq!(at(NOW_S - LEEWAY_SECONDS), Ok(until_s));
    assert_eq!(at(NOW_S - LEEWAY_SECONDS - 1), Err(TokenError::NotYet));
    assert_eq!(at(0), Err(TokenError::NotYet));
    assert_eq!(at(u64::MAX), Err(TokenError::RunOut));
    for (nbf, exp) in [(NOW_S, NOW_S + TOKEN_SECONDS_MAX + 1), (0, NOW_S + 1), (NOW_S, u64::MAX)] {
        assert_eq!(verified(&signed(&Claims { nbf, exp, ..claims() })), Err(TokenError::TooLong));
    }
    assert!(verified(&signed(&Claims { nbf: NOW_S + 100, exp: NOW_S, iat: 0, ..claims() })).is_err());
}

#[test]
fn only_the_device_itself_can_sign() {
    let other = DeviceKey::from_seed(&[4; 32]);
    let by_other = EncodingKey::from_ed_der(&private_key_der(&other));
    let token = encode(&Header::new(Algorithm::EdDSA), &claims(), &by_other).unwrap();
    assert_eq!(verified(&token), Err(TokenError::Signature));
    // One that another device says for this one.
    let claims = Claims { iss: other.device().to_string(), ..claims() };
    assert_eq!(verified(&signed(&claims)), Err(TokenError::Malformed));
    let nobody = DeviceId::ZERO.to_string();
    let claims = Claims { iss: nobody.clone(), sub: nobody, ..claims };
    assert_eq!(verified(&signed(&claims)), Err(TokenError::Signature));
}

#[test]
fn no_other_algorithm_is_taken() {
    let good = pass().issue(&key(), NOW_S, 600);
    let parts: Vec<&str> = good.split('.').collect();
    for header in [r#"{"alg":"none"}"#, r#"{"alg":"none","typ":"JWT"}"#, r#"{"typ":"JWT"}"#, r#"{"alg":"EdDSA"}"#] {
        for signature in ["", "AAAA"] {
            let token = format!("{}.{}.{signature}", base64(header.as_bytes()), parts[1]);
            assert_eq!(verified(&token), Err(TokenError::Signature), "{header}");
        }
    }
    // The public key taken for the secret of an HMAC.
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        for secret in [key().device().0.to_vec(), key().device().to_string().into_bytes()] {
            let token = encode(&Header::new(algorithm), &claims(), &EncodingKey::from_secret(&secret)).unwrap();
            assert_eq!(verified(&token), Err(TokenError::Signature));
        }
    }
}

#[test]
fn what_is_missing_or_too_much_is_refused() {
    #[derive(Serialize)]
    struct Extra {
        #[serde(flatten)]
        claims: Claims,
        admin: bool,
    }
    assert_eq!(verified(&signed(&Extra { claims: claims(), admin: true })), Err(TokenError::Malformed));
    for claims in [
        Claims { role: "god".into(), ..claims() },
        Claims { acl: "x".into(), ..claims() },
        Claims { jti: String::new(), ..claims() },
        Claims { sub: key().device().to_string().to_uppercase(), ..claims() },
    ] {
        assert_eq!(verified(&signed(&claims)), Err(TokenError::Malformed));
    }
    assert_eq!(verified(&signed(&serde_free())), Err(TokenError::Malformed));
    assert_eq!(verified(&"a".repeat(TOKEN_BYTES_MAX + 1)), Err(TokenError::Malformed));
}

/// Claims without times.
fn serde_free() -> impl Serialize {
    #[derive(Serialize)]
    struct Timeless {
        iss: String,
        sub: String,
        aud: String,
    }
    let device = key().device().to_string();
    Timeless { iss: device.clone(), sub: device, aud: PROJECT.to_string() }
}

#[test]
fn every_changed_letter_is_noticed() {
    let good = pass().issue(&key(), NOW_S, 600);
    for n in 0..good.len() {
        for letter in ["A", "B", ".", "_", "="] {
            let mut token = good.clone();
            token.replace_range(n..=n, letter);
            assert!(token == good || verified(&token).is_err(), "letter {n}: {letter}");
        }
        assert!(verified(&good[..n]).is_err());
    }
}

proptest! {
    #[test]
    fn any_text_is_judged_without_a_panic(text in ".{0,400}", header in ".{0,40}", body in ".{0,200}") {
        let _ = verified(&text);
        let _ = verified(&format!("{header}.{body}.{text}"));
        let _ = verified(&format!("{}.{}.{}", base64(header.as_bytes()), base64(body.as_bytes()), base64(text.as_bytes())));
    }
}
