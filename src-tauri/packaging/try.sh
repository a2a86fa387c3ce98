#!/usr/bin/env bash
# Tries a .deb where nobody ever saw the source: a bare Debian in a folder, with a screen of its own and, once the
# package is installed, without any network. Run as root by `cargo xtask bundle --try`.
# Usage: try.sh PACKAGE WORK_FOLDER PICTURES
set -euo pipefail

package="$(realpath "$1")"
mkdir -p "$2" "$3"
work="$(realpath "$2")"
pictures="$(realpath "$3")"
base="$work/bookworm.tar"
system="$work/system"
screen_pid=""

say() { printf 'try: %s\n' "$*"; }
fail() { printf 'try: FAILED: %s\n' "$*" >&2; exit 1; }

# Everything of the trial lives in one mount namespace, which ends with it.
if [[ "${CODESYNC_TRY_INSIDE:-}" != 1 ]]; then
  [[ "$(id -u)" == 0 ]] || fail "this needs root: a system is installed into a folder"
  if [[ ! -f "$base" ]]; then
    say "fetching a bare Debian 12 (once)"
    mmdebstrap --quiet --variant=minbase bookworm "$base"
  fi
  CODESYNC_TRY_INSIDE=1 exec unshare --mount --pid --fork --kill-child "$0" "$@"
fi

leave() {
  [[ -z "$screen_pid" ]] || kill "$screen_pid" 2>/dev/null || true
  umount --recursive --lazy "$system" 2>/dev/null || true
  rm -rf --one-file-system "$system"
}
trap leave EXIT

say "unpacking it"
rm -rf --one-file-system "$system"
mkdir -p "$system"
mount -t tmpfs -o size=3g,mode=755 codesync-try "$system"
tar -C "$system" -xf "$base"
mount -t proc proc "$system/proc"
mount --rbind /dev "$system/dev"
cp /etc/resolv.conf "$system/etc/resolv.conf"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
inside() { chroot "$system" "$@"; }
apt() { inside apt-get -qq -o Dpkg::Use-Pty=0 -o APT::Sandbox::User=root "$@" >"$work/apt.log" 2>&1 || { cat "$work/apt.log"; fail "apt-get $*"; }; }
# What a user of the system can see of packages; caches and the records of apt and dpkg are not counted.
listing() { (cd "$system" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./home -o -path ./tmp -o -path ./var/cache -o -path ./var/lib/apt -o -path ./var/lib/dpkg -o -path ./var/log -o -path ./run \) -prune -o -print | sort); }

inside useradd --create-home tester
apt update
listing >"$work/before"

say "installing $(basename "$package") and what it depends on, without what it only recommends"
cp "$package" "$system/tmp/codesync.deb"
apt install --yes --no-install-recommends /tmp/codesync.deb
# A second launch finds the first one over the session bus, which every desktop has.
apt install --yes --no-install-recommends dbus

say "a screen"
mkdir -p "$system/tmp/.X11-unix"
exec 9>"$work/display"
Xvfb -displayfd 9 -ac -nolisten tcp -screen 0 1366x768x24 >"$work/xvfb.log" 2>&1 &
screen_pid=$!
for _ in {1..100}; do [[ -s "$work/display" ]] && break; sleep 0.1; done
display=":$(cat "$work/display")"
export DISPLAY="$display"
mount --bind /tmp/.X11-unix "$system/tmp/.X11-unix"

# As an ordinary user, with an environment of nothing, and with no network but silence.
as_tester() {
  unshare --net chroot --userspec=tester:tester "$system" env -i HOME=/home/tester USER=tester LANG=C.UTF-8 \
    PATH=/usr/bin:/bin DISPLAY="$display" XDG_RUNTIME_DIR=/home/tester/.run "$@"
}
until_so() {
  local what="$1"; shift
  for _ in {1..150}; do "$@" && return; sleep 0.2; done
  import -window root "$pictures/failed.png" || true
  [[ ! -f "$work/app.log" ]] || cat "$work/app.log"
  say "windows: $(xdotool search --onlyvisible --name . getwindowname %@ 2>&1 | tr '\n' ';')"
  fail "$what (picture: $pictures/failed.png)"
}
title_has() { xdotool search --onlyvisible --name "$1" >/dev/null 2>&1; }
n_colors() { import -window root -depth 8 txt:- | awk 'NR>1{print $3}' | sort -u | head -2000 | wc -l; }
is_drawn() { [[ "$(n_colors)" -gt 100 ]]; }
has_text() { [[ "$(cat "$system/home/tester/$1" 2>/dev/null)" == *"$2"* ]]; }

inside install -d -o tester -g tester -m 700 /home/tester/.run
inside install -d -o tester -g tester /home/tester/one /home/tester/two /home/tester/Documents
printf 'first line\n' >"$system/home/tester/one/README.md"
printf 'another folder\n' >"$system/home/tester/two/README.md"
inside chown -R tester:tester /home/tester

say "the command line, its pages and completions"
[[ "$(as_tester codesync --version)" == "codesync "* ]] || fail "codesync --version"
[[ -s "$system/usr/share/man/man1/codesync-restore.1.gz" || -s "$system/usr/share/man/man1/codesync.1.gz" ]] \
  || say "(this bare system is told to leave out manual pages)"
[[ -s "$system/usr/share/bash-completion/completions/codesync" ]] || fail "no completions"
grep -q 'application/vnd.codesync.replay:\*.codesync-replay' "$system/usr/share/mime/globs2" \
  || fail "the kind of file is not known to the system"

say "no network in there"
[[ "$(as_tester cat /proc/net/route | wc -l)" -le 1 ]] || fail "there is a route out"

say "the window, with a folder on its command line and without a session bus"
as_tester codesync-desktop /home/tester/one >"$work/app.log" 2>&1 &
app_pid=$!
until_so "the window did not open the folder" title_has 'README.md — one — CodeSync'
until_so "the window stayed empty" is_drawn
sleep 1
import -window root "$pictures/installed.png"
xdotool mousemove 700 300 click 1 key ctrl+End type --delay 20 'typed offline'
until_so "what was typed is not in the folder" has_text one/README.md 'typed offline'
[[ "$(as_tester codesync -C /home/tester/one show README.md)" == *'typed offline'* ]] || fail "codesync show"
as_tester codesync -C /home/tester/one export /home/tester/lab.codesync-replay >/dev/null
xdotool key ctrl+q
for _ in {1..50}; do kill -0 "$app_pid" 2>/dev/null || break; sleep 0.2; done
kill -0 "$app_pid" 2>/dev/null && fail "the window did not end"

say "a further folder and a replay bundle get windows of their own, the folder that is open the one it has"
as_tester dbus-run-session -- sh -c '
  codesync-desktop /home/tester/one & first=$!
  while ! test -e /home/tester/go-1; do sleep 0.1; done
  codesync-desktop /home/tester/two; echo "second launch: $?" >/home/tester/second
  codesync-desktop /home/tester/one; echo "third launch: $?" >/home/tester/third
  while ! test -e /home/tester/go-2; do sleep 0.1; done
  codesync-desktop /home/tester/lab.codesync-replay
  wait $first' >"$work/app.log" 2>&1 &
app_pid=$!
n_windows() { xdotool search --onlyvisible --name 'CodeSync$' | wc -l; }
has_windows() { [[ "$(n_windows)" == "$1" ]]; }
quit_window() {
  xdotool search --onlyvisible --name "$1" windowfocus
  sleep 0.5
  # Not to the window itself: it goes while the key is still down, and xdotool would leave it down.
  xdotool key ctrl+q
}
until_so "the window did not open" title_has 'README.md — one — CodeSync'
touch "$system/home/tester/go-1"
until_so "the second launch did not open its folder" title_has '— two — CodeSync'
until_so "the second launch did not end" has_text second 'second launch: 0'
until_so "the third launch did not end" has_text third 'third launch: 0'
sleep 2
has_windows 2 || fail "there are $(n_windows) windows, not two"
title_has 'README.md — one — CodeSync' || fail "the first window has another folder"
quit_window '— two — CodeSync'
until_so "the second window did not end" has_windows 1
touch "$system/home/tester/go-2"
until_so "the bundle was not opened" title_has '— lab — CodeSync'
unpacked="$(cd "$system/home/tester" && find . -path '*/lab/README.md' | head -1)"
has_text "$unpacked" 'typed offline' || fail "the bundle's text is not there"
sleep 1
import -window root "$pictures/bundle.png"
quit_window '— lab — CodeSync'
until_so "the window of the bundle did not end" has_windows 1
quit_window '— one — CodeSync'
for _ in {1..50}; do kill -0 "$app_pid" 2>/dev/null || break; sleep 0.2; done
kill -0 "$app_pid" 2>/dev/null && fail "the window did not end"

say "removing it"
apt purge --yes codesync dbus
apt autoremove --purge --yes
listing >"$work/after"
left="$(comm -13 "$work/before" "$work/after" | grep -v -E '^\./(etc/\.pwd\.lock|var/lib/systemd|etc/ld\.so\.cache)' || true)"
ours="$(grep -i codesync <<<"$left" || true)"
[[ -z "$ours" ]] || fail "left behind: $ours"
[[ -z "$left" ]] || say "left by other packages: $(wc -l <<<"$left") paths, such as $(head -3 <<<"$left" | tr '\n' ' ')"
has_text one/README.md 'typed offline' || fail "the user's own files went, too"
say "everything works"
