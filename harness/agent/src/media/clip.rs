//! The clip that a call carries: encoded frames, each known by its content.
//!
//! `clip/generate.sh` tells how the files are made.

use super::Codec;
use bytes::Bytes;
use rtc::media::io::ivf_reader::IVFReader;
use rtc::media::io::ogg_reader::OggReader;
use std::collections::HashMap;
use std::time::Duration;

/// The clip in one codec, with the frames that a muted sender sends instead.
#[derive(Debug)]
pub struct Clip {
    codec: Codec,
    frame_duration: Duration,
    frames: Vec<Frame>,
    silence: Vec<Frame>,
    content: HashMap<Bytes, Content>,
}

/// One encoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The encoded bytes.
    pub data: Bytes,
    /// Whether it can be decoded without an earlier one. Always so in Opus.
    pub key: bool,
}

/// What a frame turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The frame of the clip with this index.
    Clip(usize),
    /// Encoded silence or blackness.
    Silence,
}

/// A clip could not be read; since the clips are part of the program, it was built from bad files.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// The container is damaged.
    #[error("failed to read {file} of the clip; make it anew with clip/generate.sh")]
    Container {
        /// The file's name.
        file: &'static str,
        /// The reader's reason.
        #[source]
        source: webrtc::error::Error,
    },
    /// The content is not what `clip/generate.sh` makes.
    #[error("{file} of the clip is unfit: {reason}; make it anew with clip/generate.sh")]
    Unfit {
        /// The file's name.
        file: &'static str,
        /// What does not fit.
        reason: String,
    },
}

/// Frames of one length, as they stand in a file.
struct Sequence {
    frame_duration: Duration,
    frames: Vec<Frame>,
}

impl Clip {
    /// The clip in this codec.
    ///
    /// # Errors
    ///
    /// When the files that the program was built with are damaged, have frames of different
    /// lengths, or frames that cannot be told apart.
    pub fn load(codec: Codec) -> Result<Self, ClipError> {
        let (file, live, silence) = match codec {
            Codec::Opus => (
                "audio.ogg",
                read_ogg("audio.ogg", include_bytes!("../../clip/audio.ogg"))?,
                read_ogg("silence.ogg", include_bytes!("../../clip/silence.ogg"))?,
            ),
            Codec::Vp8 => (
                "video.ivf",
                read_ivf("video.ivf", include_bytes!("../../clip/video.ivf"))?,
                read_ivf("black.ivf", include_bytes!("../../clip/black.ivf"))?,
            ),
        };
        Self::new(codec, file, live, silence)
    }

    fn new(
        codec: Codec,
        file: &'static str,
        live: Sequence,
        silence: Sequence,
    ) -> Result<Self, ClipError> {
        let unfit = |reason: String| ClipError::Unfit { file, reason };
        if live.frame_duration != silence.frame_duration {
            return Err(unfit("its silence has frames of another length".to_owned()));
        }
        if !live.frames.first().is_some_and(|frame| frame.key) {
            return Err(unfit("it does not begin with a key frame".to_owned()));
        }
        let mut content: HashMap<Bytes, Content> = silence
            .frames
            .iter()
            .map(|frame| (frame.data.clone(), Content::Silence))
            .collect();
        for (index, frame) in live.frames.iter().enumerate() {
            if let Some(other) = content.insert(frame.data.clone(), Content::Clip(index)) {
                return Err(unfit(format!("frame {index} is identical to {other:?}")));
            }
        }
        Ok(Self {
            codec,
            frame_duration: live.frame_duration,
            frames: live.frames,
            silence: silence.frames,
            content,
        })
    }

    /// The codec it is encoded in.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The frames, in order; a call sends them again and again.
    #[must_use]
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// What a muted sender sends instead, again and again.
    #[must_use]
    pub fn silence(&self) -> &[Frame] {
        &self.silence
    }

    /// How long each frame plays.
    #[must_use]
    pub fn frame_duration(&self) -> Duration {
        self.frame_duration
    }

    /// How far the RTP timestamp advances from frame to frame, in ticks of the codec's clock.
    #[must_use]
    pub fn frame_ticks(&self) -> u32 {
        let ticks = self.frame_duration.as_micros() * u128::from(self.codec.clock_rate_hz());
        u32::try_from(ticks / 1_000_000).unwrap_or(u32::MAX)
    }

    /// What these bytes are; `None` if they are neither of the clip nor silence.
    #[must_use]
    pub fn identify(&self, data: &[u8]) -> Option<Content> {
        self.content.get(data).copied()
    }
}

fn read_ivf(file: &'static str, bytes: &[u8]) -> Result<Sequence, ClipError> {
    let container = |source| ClipError::Container { file, source };
    let (mut reader, header) = IVFReader::new(bytes).map_err(container)?;
    let frame_duration =
        Duration::from_secs(1) * header.timebase_numerator / header.timebase_denominator.max(1);
    let mut frames = Vec::new();
    for expected in 0..header.num_frames {
        let (data, frame) = reader.parse_next_frame().map_err(container)?;
        if frame.timestamp != u64::from(expected) {
            let reason = format!("frame {expected} has time {}", frame.timestamp);
            return Err(ClipError::Unfit { file, reason });
        }
        // The first bit of a VP8 frame is 0 in key frames (RFC 6386 section 9.1).
        let key = data.first().is_some_and(|byte| byte & 1 == 0);
        let data = data.freeze();
        frames.push(Frame { data, key });
    }
    Ok(Sequence {
        frame_duration,
        frames,
    })
}

fn read_ogg(file: &'static str, bytes: &[u8]) -> Result<Sequence, ClipError> {
    let container = |source| ClipError::Container { file, source };
    let (mut reader, _) = OggReader::new(bytes, true).map_err(container)?;
    let mut frames = Vec::new();
    let mut frame_samples = 0;
    let mut position = 0;
    loop {
        let (data, page) = reader.parse_next_page().map_err(container)?;
        if page.opus_header_type(&data).is_some() {
            continue;
        }
        let samples = page.granule_position.saturating_sub(position);
        position = page.granule_position;
        if frames.is_empty() {
            frame_samples = samples;
        }
        let last = page.is_end_of_stream();
        // The last page tells where the sound ends within its frame (RFC 7845 section 4.4).
        if samples != frame_samples && !(last && samples < frame_samples) {
            let reason = format!("frame {} has {samples} samples", frames.len());
            return Err(ClipError::Unfit { file, reason });
        }
        frames.push(Frame {
            data: data.freeze(),
            key: true,
        });
        if last {
            break;
        }
    }
    let clock_rate_hz = u64::from(Codec::Opus.clock_rate_hz());
    Ok(Sequence {
        frame_duration: Duration::from_micros(frame_samples * 1_000_000 / clock_rate_hz),
        frames,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

    use super::*;

    #[test]
    fn audio_is_two_and_a_half_seconds_of_20_ms_frames() {
        let clip = Clip::load(Codec::Opus).unwrap();
        assert_eq!(clip.frame_duration(), Duration::from_millis(20));
        assert_eq!(clip.frame_ticks(), 960);
        assert_eq!(clip.frames().len(), 125);
    }

    #[test]
    fn video_is_two_and_a_half_seconds_of_50_ms_frames_after_one_key_frame() {
        let clip = Clip::load(Codec::Vp8).unwrap();
        assert_eq!(clip.frame_duration(), Duration::from_millis(50));
        assert_eq!(clip.frame_ticks(), 4500);
        assert_eq!(clip.frames().len(), 50);
        let keys: Vec<usize> = (0..50).filter(|&index| clip.frames()[index].key).collect();
        assert_eq!(keys, [0]);
        assert!(clip.silence()[0].key);
    }

    #[test]
    fn content_tells_the_index_and_silence() {
        for codec in [Codec::Opus, Codec::Vp8] {
            let clip = Clip::load(codec).unwrap();
            for (index, frame) in clip.frames().iter().enumerate() {
                assert_eq!(clip.identify(&frame.data), Some(Content::Clip(index)));
            }
            for frame in clip.silence() {
                assert_eq!(clip.identify(&frame.data), Some(Content::Silence));
            }
            assert_eq!(clip.identify(b"neither"), None);
        }
    }

    #[test]
    fn frames_that_cannot_be_told_apart_are_an_error() {
        let read = |bytes| read_ogg("audio.ogg", bytes).unwrap();
        let silence = || read(include_bytes!("../../clip/silence.ogg"));
        let mut repeats = read(include_bytes!("../../clip/audio.ogg"));
        repeats.frames[7] = repeats.frames[3].clone();
        for live in [repeats, silence()] {
            let clip = Clip::new(Codec::Opus, "audio.ogg", live, silence());
            assert!(matches!(clip, Err(ClipError::Unfit { .. })));
        }
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let mut bytes = include_bytes!("../../clip/audio.ogg").to_vec();
        bytes[5000] ^= 1;
        assert!(matches!(
            read_ogg("audio.ogg", &bytes),
            Err(ClipError::Container { .. })
        ));
        let bytes = include_bytes!("../../clip/video.ivf");
        assert!(matches!(
            read_ivf("video.ivf", &bytes[..bytes.len() - 1]),
            Err(ClipError::Container { .. })
        ));
    }
}
