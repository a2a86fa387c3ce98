//! The token that opens a stream: a JWT in which a device says, for a quarter of an hour at most, who it is, over which
//! connection it speaks, and to which project. EdDSA and nothing else; the time comes in as an argument, so `exp` and
//! `nbf` are judged here and not by the crate, which would ask the system's clock. What the role is worth is decided by
//! [`crate::Access`], never by the token.

use crate::DeviceKey;
use codesync_base::{DeltaHash, DeviceId, ProjectId, Role, hex};
use ed25519_dalek::VerifyingKey;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

/// Longest time that a token stands.
pub const TOKEN_SECONDS_MAX: u64 = 15 * 60;
/// How far the clocks of two computers may be apart.
pub const LEEWAY_SECONDS: u64 = 5;
/// Longest token that is looked at.
pub const TOKEN_BYTES_MAX: usize = 2 * 1024;

/// What a device says to open a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pass {
    pub project: ProjectId,
    /// Key of this end of the connection: over another one the token is worth nothing.
    pub peer: [u8; 32],
    pub role: Role,
    /// [`crate::Access::head`] as the device has it.
    pub access_head: DeltaHash,
    /// Names the token; random.
    pub id: [u8; 16],
}

/// A token that was good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    pub device: DeviceId,
    /// What the device believes its role to be.
    pub role: Role,
    pub access_head: DeltaHash,
    pub id: [u8; 16],
    /// From here on a new one is needed, Unix seconds.
    pub until_s: u64,
}

/// Why a token opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenError {
    #[error("it is no token of this kind")]
    Malformed,
    /// Another algorithm, another signer, or changed on its way.
    #[error("it is not signed by the device that it names")]
    Signature,
    #[error("it is for another project")]
    Project,
    #[error("it is for another connection")]
    Connection,
    #[error("it stands no more")]
    RunOut,
    #[error("it does not stand yet: the clocks of the two computers are apart")]
    NotYet,
    #[error("it stands for too long")]
    TooLong,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    sub: String,
    cnf: Confirmation,
    aud: String,
    role: String,
    acl: String,
    jti: String,
    iat: u64,
    nbf: u64,
    exp: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    peer: String,
}

impl Pass {
    /// Signs it. Stands for `stands_s` seconds, [`TOKEN_SECONDS_MAX`] at most.
    pub fn issue(&self, key: &DeviceKey, now_s: u64, stands_s: u64) -> String {
        let device = key.device().to_string();
        let claims = Claims {
            iss: device.clone(),
            sub: device,
            cnf: Confirmation { peer: hex(&self.peer) },
            aud: self.project.to_string(),
            role: role_word(self.role).into(),
            acl: self.access_head.to_string(),
            jti: hex(&self.id),
            iat: now_s,
            nbf: now_s,
            exp: now_s.saturating_add(stands_s.min(TOKEN_SECONDS_MAX)),
        };
        let key = EncodingKey::from_ed_der(&private_key_der(key));
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &key).expect("invariant: a key and plain data")
    }
}

/// Judges a token that came over the connection whose other end has the key `peer`.
pub fn verify_token(token: &str, project: &ProjectId, peer: &[u8; 32], now_s: u64) -> Result<Verified, TokenError> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(TokenError::Malformed);
    }
    // Only to find out whose key to ask: nothing else of it is believed before the signature is.
    let claimed: Claims = jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| TokenError::Malformed)?;
    let device: DeviceId = claimed.sub.parse().map_err(|_| TokenError::Malformed)?;
    if claimed.iss != claimed.sub || device.to_string() != claimed.sub {
        return Err(TokenError::Malformed);
    }
    let claims = signed_claims(token, &device)?;
    if claims.aud != project.to_string() {
        return Err(TokenError::Project);
    }
    if claims.cnf.peer != hex(peer) {
        return Err(TokenError::Connection);
    }
    check_times(&claims, now_s)?;
    let role = parse_role(&claims.role).ok_or(TokenError::Malformed)?;
    let access_head = claims.acl.parse().map_err(|_| TokenError::Malformed)?;
    // Both are sixteen bytes in hexadecimal.
    let id: ProjectId = claims.jti.parse().map_err(|_| TokenError::Malformed)?;
    Ok(Verified { device, role, access_head, id: id.0, until_s: claims.exp })
}

fn signed_claims(token: &str, device: &DeviceId) -> Result<Claims, TokenError> {
    // A key of small order signs anything for anybody.
    let is_strong = VerifyingKey::from_bytes(&device.0).is_ok_and(|key| !key.is_weak());
    if !is_strong {
        return Err(TokenError::Signature);
    }
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.set_required_spec_claims(&["exp", "nbf", "iss", "sub", "aud"]);
    rules.leeway = LEEWAY_SECONDS;
    // By the time that is given, below.
    (rules.validate_exp, rules.validate_nbf) = (false, false);
    // By its exact text, above.
    rules.validate_aud = false;
    let data = jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_ed_der(&device.0), &rules);
    data.map(|data| data.claims).map_err(|_| TokenError::Signature)
}

fn check_times(claims: &Claims, now_s: u64) -> Result<(), TokenError> {
    if claims.exp.saturating_sub(claims.nbf) > TOKEN_SECONDS_MAX || claims.iat > claims.exp {
        return Err(TokenError::TooLong);
    }
    if claims.nbf > now_s.saturating_add(LEEWAY_SECONDS) {
        return Err(TokenError::NotYet);
    }
    if claims.exp.saturating_add(LEEWAY_SECONDS) <= now_s {
        return Err(TokenError::RunOut);
    }
    Ok(())
}

/// PKCS #8, version 1: the only form of a private key that the crate takes.
fn private_key_der(key: &DeviceKey) -> Vec<u8> {
    const HEAD: [u8; 16] =
        [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    [&HEAD[..], &key.signing.to_bytes()].concat()
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Editor => "editor",
        Role::Owner => "owner",
    }
}

fn parse_role(word: &str) -> Option<Role> {
    [Role::Viewer, Role::Editor, Role::Owner].into_iter().find(|role| role_word(*role) == word)
}

#[cfg(test)]
mod tests;
