#!/usr/bin/env bash
# Makes the disk of the virtual machine that tests/vm runs: a small Debian with a real kernel, systemd and udev.
#
#   image.sh        make it where it is missing or older than this script; prints the folder that holds it
#
# In $TALLYMAN_CACHE/vm (~/.cache/tallyman/vm when unset): disk.qcow2, vmlinuz, initrd and the stamp that says of what they
# were made. About 350 MB; 2 minutes, once.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${TALLYMAN_CACHE:-$HOME/.cache/tallyman}
VM=$CACHE/vm
ROOT=$VM/root

# The control channel, and what a person wants who looks into the machine: nothing of the product.
PACKAGES=(systemd systemd-sysv udev dbus kmod initramfs-tools zstd qemu-guest-agent procps usbutils)
# A kernel brings 400 MB of drivers; no scanner needs these.
LEFT_OUT=(/usr/share/doc /usr/share/man /usr/share/locale /lib/modules/*/kernel/{sound,drivers/{gpu,net,media,infiniband,scsi,ata,staging,iio,mtd,md,nvme,platform,target,thunderbolt,hwmon,firewire,edac,gpio,isdn,leds,mmc,nvdimm,power,pwm,regulator,video}} /lib/modules/*/kernel/{net/{mac80211,wireless,bluetooth,sctp,netfilter,openvswitch,sched,tipc,sunrpc,ceph,rds},fs/{btrfs,xfs,ocfs2,gfs2,ceph,nfs,nfsd,smb,cifs,afs,f2fs,ubifs,jfs,reiserfs,nilfs2,lockd,dlm,coda,orangefs}})

say() { printf 'image.sh: %s\n' "$*" >&2; }

# The guest runs binaries that were built here, so its libc must not be older than ours.
suite() {
  local id codename
  # shellcheck disable=SC1091 # every system has it
  id=$(. /etc/os-release && echo "${ID:-}")
  # shellcheck disable=SC1091
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  if [[ $id == debian && -n $codename ]]; then echo "$codename"; else echo trixie; fi
}

become_root() {
  ((EUID == 0)) && return
  say "a Debian root with its owners can only be made by root: asking sudo."
  sudo -- env TALLYMAN_CACHE="$CACHE" "$HERE/image.sh" >/dev/null
  sudo chown -R "$(id -u):$(id -g)" "$VM"
  echo "$VM"
  exit
}

# Runs before packages configure themselves, so that the first initrd is the right one: only what finds the disk.
write_initrd_settings() {
  cat >"$VM/initrd-hook" <<'HOOK'
set -e
mkdir -p "$1/etc/initramfs-tools/conf.d"
printf 'MODULES=list\nCOMPRESS=zstd\n' >"$1/etc/initramfs-tools/conf.d/vm"
printf 'virtio_pci\nvirtio_blk\next4\n' >"$1/etc/initramfs-tools/modules"
HOOK
}

# The system's own settings. Nothing may start by itself at some time of its own: it would disturb a measurement.
write_system_settings() {
  cat >"$VM/system-hook" <<'HOOK'
set -e
echo bench >"$1/etc/hostname"
echo '127.0.0.1 localhost bench' >"$1/etc/hosts"
echo '/dev/vda / ext4 errors=remount-ro,noatime 0 1' >"$1/etc/fstab"
mkdir -p "$1/mnt/host" "$1/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=volatile\n' >"$1/etc/systemd/journald.conf.d/vm.conf"
chroot "$1" passwd -d root >/dev/null
chroot "$1" systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
  e2scrub_reap.service fstrim.timer systemd-tmpfiles-clean.timer systemd-timesyncd.service getty@tty1.service \
  serial-getty@ttyS0.service systemd-networkd-wait-online.service >/dev/null
HOOK
}

make_root() { # SUITE
  local excludes=() path
  for path in "${LEFT_OUT[@]}"; do excludes+=("--dpkgopt=path-exclude=$path/*"); done
  write_initrd_settings
  write_system_settings
  rm -rf --one-file-system "$ROOT"
  TMPDIR=$VM mmdebstrap --quiet --mode=root --variant=minbase --architectures=amd64 \
    --include="$(IFS=,; echo "linux-image-amd64,${PACKAGES[*]}")" \
    --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' "${excludes[@]}" \
    --essential-hook="sh '$VM/initrd-hook' \"\$1\"" --customize-hook="sh '$VM/system-hook' \"\$1\"" "$1" "$ROOT" >&2
}

# A file system made from a folder: nothing is mounted, so nothing can stay mounted.
make_disk() {
  cp "$ROOT"/boot/vmlinuz-* "$VM/vmlinuz"
  cp "$ROOT"/boot/initrd.img-* "$VM/initrd"
  rm -f "$VM/disk.raw"
  truncate -s 3G "$VM/disk.raw"
  mke2fs -q -t ext4 -E lazy_itable_init=0 -d "$ROOT" "$VM/disk.raw"
  qemu-img convert -f raw -O qcow2 "$VM/disk.raw" "$VM/disk.qcow2"
  rm -rf --one-file-system "$ROOT" "$VM/disk.raw" "$VM/initrd-hook" "$VM/system-hook"
}

main() {
  local wanted
  wanted="$(suite) $(sha256sum <"$HERE/image.sh" | cut -c 1-16)"
  mkdir -p "$VM"
  exec 9>"$VM/lock"
  flock 9
  if [[ ! -e $VM/stamp || $(<"$VM/stamp") != "$wanted" ]]; then
    become_root
    say "making a Debian $(suite) for the virtual machine in $VM (about 2 minutes, once)."
    # Whatever was made of the old disk goes with it.
    rm -f "$VM"/stamp "$VM"/warm*
    make_root "$(suite)"
    make_disk
    echo "$wanted" >"$VM/stamp"
  fi
  echo "$VM"
}

main
