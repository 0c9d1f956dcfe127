//! Files that a session brings to its server.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Session;
use crate::call::Call;
use crate::error::Error;
use crate::proto;
use crate::proto::add_artifacts_request::{
    ArtifactChunk, Batch, BeginChunkedArtifact, Payload, SingleChunkArtifact,
};

/// Size of the pieces a file is sent in, as Spark's own clients cut them.
const CHUNK: usize = 32 << 10;

/// A file for the server, under the name the server tells its use by: `pyfiles/…`, `jars/…`,
/// `files/…`, `archives/…`, `classes/…` or `cache/<sha256>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its name on the server.
    pub name: String,
    /// What is in it.
    pub data: Bytes,
}

impl Session {
    /// Sends files.
    ///
    /// # Errors
    /// As any call; and [`Error::Malformed`] when a file did not arrive whole.
    pub async fn add_artifacts(&self, artifacts: Vec<Artifact>) -> Result<(), Error> {
        if artifacts.is_empty() {
            return Ok(());
        }
        let request = |payload| proto::AddArtifactsRequest {
            session_id: self.id(),
            user_context: self.shared.identity.user_context(),
            client_observed_server_side_session_id: self.shared.identity.observed(),
            client_type: self.client_type(),
            payload: Some(payload),
        };
        let parts = artifacts.into_iter().flat_map(payloads).map(request);
        let response = match self.shared.client.add_artifacts(parts.collect()).await {
            Ok(response) => response,
            Err(failure) => return Err(self.explain(Call::AddArtifacts, failure).await),
        };
        self.identity()
            .observe(&response.session_id, &response.server_side_session_id)?;
        let broken =
            |summary: &&proto::add_artifacts_response::ArtifactSummary| !summary.is_crc_successful;
        match response.artifacts.iter().find(broken) {
            None => Ok(()),
            Some(summary) => Err(Error::Malformed {
                what: format!("the file {} did not arrive whole", summary.name),
                source: None,
            }),
        }
    }

    /// Whether the server has files of these names. It only knows of those in `cache/`.
    ///
    /// # Errors
    /// As any call.
    pub async fn artifact_status(&self, names: &[&str]) -> Result<BTreeMap<String, bool>, Error> {
        let request = proto::ArtifactStatusesRequest {
            session_id: self.id(),
            client_observed_server_side_session_id: self.shared.identity.observed(),
            user_context: self.shared.identity.user_context(),
            client_type: self.client_type(),
            names: names.iter().map(|&name| name.to_owned()).collect(),
        };
        let response = match self.shared.client.artifact_status(request).await {
            Ok(response) => response,
            Err(failure) => return Err(self.explain(Call::ArtifactStatus, failure).await),
        };
        self.identity()
            .observe(&response.session_id, &response.server_side_session_id)?;
        let statuses = response.statuses.into_iter();
        Ok(statuses
            .map(|(name, status)| (name, status.exists))
            .collect())
    }
}

/// The messages one file is sent in.
fn payloads(artifact: Artifact) -> Vec<Payload> {
    let Artifact { name, mut data } = artifact;
    let total_bytes = data.len();
    if total_bytes <= CHUNK {
        let data = Some(chunk(data));
        let artifacts = vec![SingleChunkArtifact { name, data }];
        return vec![Payload::Batch(Batch { artifacts })];
    }
    let mut payloads = vec![Payload::BeginChunk(BeginChunkedArtifact {
        name,
        total_bytes: total_bytes as i64,
        num_chunks: total_bytes.div_ceil(CHUNK) as i64,
        initial_chunk: Some(chunk(data.split_to(CHUNK))),
    })];
    while !data.is_empty() {
        let next = data.split_to(CHUNK.min(data.len()));
        payloads.push(Payload::Chunk(chunk(next)));
    }
    payloads
}

fn chunk(data: Bytes) -> ArtifactChunk {
    let crc = i64::from(crc32(&data));
    ArtifactChunk { data, crc }
}

/// The CRC-32 of zip and of Java's `java.util.zip.CRC32`.
fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc, &byte| {
        TABLE[usize::from((crc as u8) ^ byte)] ^ (crc >> 8)
    })
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_zip() {
        let cases: [(&[u8], u32); 3] = [
            (b"", 0),
            (b"123456789", 0xCBF4_3926),
            (b"The quick brown fox jumps over the lazy dog", 0x414F_A339),
        ];
        for (data, expected) in cases {
            assert_eq!(crc32(data), expected);
        }
    }

    #[test]
    fn a_file_is_cut_into_pieces_that_make_it_whole() {
        for size in [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5] {
            let data: Bytes = (0..size).map(|i| i as u8).collect();
            let name = "cache/x".to_owned();
            let payloads = payloads(Artifact {
                name,
                data: data.clone(),
            });
            let mut sent = Vec::new();
            for payload in &payloads {
                match payload {
                    Payload::Batch(batch) => {
                        assert_eq!(payloads.len(), 1);
                        sent.extend(batch.artifacts[0].data.as_ref().map(|c| c.data.clone()));
                    }
                    Payload::BeginChunk(begin) => {
                        assert_eq!(begin.total_bytes, size as i64);
                        assert_eq!(begin.num_chunks, payloads.len() as i64);
                        sent.extend(begin.initial_chunk.as_ref().map(|c| c.data.clone()));
                    }
                    Payload::Chunk(chunk) => sent.push(chunk.data.clone()),
                }
            }
            assert_eq!(sent.concat(), data, "{size}");
        }
    }
}
