#!/bin/sh
# Makes the clip that a call carries: needs ffmpeg with libvpx and libopus.
#
#   sh harness/agent/clip/generate.sh
#
# The results are in the repository, so that building needs no ffmpeg. The tests of the module
# `media::clip` say what must hold of them: frames of one length, all different, key frame first.
set -eu
cd "$(dirname "$0")"

# usage: encode SOURCE SECONDS ENCODER-OPTION... FILE
encode() {
    source=$1
    seconds=$2
    shift 2
    ffmpeg -hide_banner -loglevel error -y -f lavfi -i "$source" -t "$seconds" \
        -fflags +bitexact -flags +bitexact "$@"
}

# A key frame only at the start, so that the loop of the clip is the only place where a large frame
# occurs; one thread, so that the same encoder gives the same bytes.
# usage: video SOURCE BITRATE SECONDS FILE
video() {
    encode "$1" "$3" -c:v libvpx -b:v "$2" -deadline good -cpu-used 0 -threads 1 \
        -auto-alt-ref 0 -lag-in-frames 0 -g 1000 -keyint_min 1000 -pix_fmt yuv420p "$4"
}

# Each frame of 20 ms on an Ogg page of its own, since the reader takes pages.
# usage: audio SOURCE BITRATE SECONDS FILE
audio() {
    encode "$1" "$3" -ac 2 -ar 48000 -c:a libopus -b:a "$2" -frame_duration 20 \
        -application audio -page_duration 20000 "$4"
}

# A test picture with a running clock, and a tone that rises over soft noise: no frame like another.
# The sound is 10 ms shorter, since the encoder adds 6.5 ms at its start: both come to 2.5 s.
video "testsrc2=size=320x180:rate=20" 180k 2.5 video.ivf
audio "aevalsrc=exprs='0.3*sin(2*PI*(220+180*t)*t)+0.05*(random(0)-0.5)':sample_rate=48000" \
    32k 2.49 audio.ogg

# What a browser sends for a track that is disabled: encoded blackness, encoded silence.
video "color=color=black:size=320x180:rate=20" 20k 0.5 black.ivf
audio "anullsrc=sample_rate=48000:channel_layout=stereo" 32k 0.5 silence.ogg
