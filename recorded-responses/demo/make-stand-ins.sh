#!/usr/bin/env bash
# Makes the stand-in packages of the demo recording, into files/ beside this script.
#
# A stand-in is a real container (a WIM for Windows 11 24H2, a CAB for the classic systems) with the
# metadata where a real package has it, and no Windows code. Its name follows the pattern of the real
# file, with the SHA-1 of the stand-in itself, so that digest and name agree as they do in the Catalog.
#
# A WIM header holds a random GUID and the time, so every run gives WIM files with new digests.
# Run ../make-recordings.py afterwards: the pages state sizes and digests. The CAB files come out the same.
set -euo pipefail
export LC_ALL=C TZ=UTC

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

need() {
    command -v "$1" >/dev/null || {
        echo "make-stand-ins.sh: $1 is missing; install the Debian package '$2'" >&2
        exit 1
    }
}
need wimlib-imagex wimtools
need gcab gcab
need sha1sum coreutils

# cab FILE MEMBER…: a cabinet of the named files, stored, without their paths.
cab() {
    local out=$1
    shift
    touch -d '2026-01-01T00:00:00Z' "$@"
    gcab --create --nopath "$out" "$@"
}

# zip_cab FILE MEMBER…: the same, compressed with MSZIP.
zip_cab() {
    local out=$1
    shift
    touch -d '2026-01-01T00:00:00Z' "$@"
    gcab --create --zip --nopath "$out" "$@"
}

# filler KIB TEXT: so many KiB of numbered lines, in the place of a payload.
filler() {
    awk -v bytes=$(($1 * 1024)) -v text="$2" 'BEGIN {
        for (n = 1; done < bytes; n++) {
            line = sprintf("%06d filler in the place of %s\n", n, text)
            if (done + length(line) > bytes) line = substr(line, 1, bytes - done)
            printf "%s", line
            done += length(line)
        }
    }'
}

# notice REAL-NAME: the text that every stand-in carries.
notice() {
    cat <<EOF
This is a stand-in, made for the demo of kbmirror.
It stands for $1
It holds no Windows code and cannot be installed.
EOF
}

processor() { if [ "$1" = x64 ]; then echo amd64; else echo "$1"; fi; }

# identity NAME VERSION ARCH: the attributes of an assembly identity.
identity() {
    printf 'name="%s" version="%s" language="neutral" processorArchitecture="%s" publicKeyToken="31bf3856ad364e35"' \
        "$1" "$2" "$(processor "$3")"
}

# mum KB NAME VERSION ARCH RELEASE-TYPE PARENT PARENT-VERSION STACK-FLOOR: an update.mum. The package of
# a servicing stack names the stack as its only component. KB is "-" for a stack inside another package,
# whose own KB is not known here.
mum() {
    local kb=$1 name=$2 version=$3 arch=$4 release=$5 parent=$6 parent_version=$7 floor=$8
    local identifier="KB$kb" support=" supportInformation=\"https://support.microsoft.com/help/$kb\"" content=
    if [ "$kb" = - ]; then
        identifier=$name support=
    fi
    if [[ $name == Package_for_ServicingStack* ]]; then
        content="    <update name=\"ServicingStack\">
      <component>
        <assemblyIdentity $(identity Microsoft-Windows-ServicingStack "10.0.${version%.*.*}" "$arch") />
      </component>
    </update>
"
    fi
    cat <<EOF
<?xml version="1.0" encoding="utf-8"?>
<assembly xmlns="urn:schemas-microsoft-com:asm.v3" manifestVersion="1.0" description="Stand-in for $identifier" displayName="default"$support>
  <assemblyIdentity $(identity "$name" "$version" "$arch") />
  <package identifier="$identifier" applicabilityEvaluation="deep" releaseType="$release" restart="possible">
    <parent buildCompare="EQ" revisionCompare="GE" integrate="separate" disposition="detect">
      <assemblyIdentity $(identity "$parent" "$parent_version" "$arch") buildType="release" />
    </parent>
    <installerAssembly $(identity Microsoft-Windows-ServicingStack "$floor" "$arch") versionScope="nonSxS" />
$content  </package>
</assembly>
EOF
}

# compdb KB ARCH BASE TARGET PACKAGE-REVISION: the composition database of a cumulative update.
compdb() {
    local kb=$1 base=$3 target=$4 package processor
    processor=$(processor "$2")
    package="Package_for_RollupFix~~$processor~~${target#10.0.}.1.$5"
    cat <<EOF
<?xml version="1.0" encoding="utf-8"?>
<CompDB xmlns="http://schemas.microsoft.com/embedded/2004/10/ImageUpdate" SchemaVersion="1.4" Revision="1" Product="Desktop" Type="BuildUpdate" ReleaseType="Production" BuildArch="$processor" OSVersion="$base" TargetOSVersion="$target" Name="Stand-in for KB$kb">
  <Features>
    <Feature FeatureID="KB$kb" Type="CumulativeUpdate">
      <Packages>
        <Package ID="$package" />
      </Packages>
    </Feature>
  </Features>
  <Packages>
    <Package ID="$package">
      <Payload>
        <PayloadItem Path="Windows11.0-KB$kb-$2.psf" PayloadType="ExpressPSF" />
      </Payload>
    </Package>
  </Packages>
</CompDB>
EOF
}

# publish FILE PREFIX EXTENSION: moves a finished container to files/, named by its own SHA-1.
publish() {
    local sha1
    sha1=$(sha1sum "$1" | cut -d' ' -f1)
    mv "$1" "$here/files/$2_$sha1.$3"
    chmod 644 "$here/files/$2_$sha1.$3"
}

# stack_cab DIR FAMILY BUILD ARCH: the servicing stack inside a combined package, SSU-<build>-<arch>.cab.
stack_cab() {
    mkdir "$work/stack"
    mum - "Package_for_ServicingStack_${3#*.}" "$3.1.0" "$4" "Update" \
        Microsoft-Windows-Foundation-Package "10.0.$2.1" 6.0.0.0 >"$work/stack/update.mum"
    cab "$1/SSU-$3-$4.cab" "$work/stack/update.mum"
    rm -r "$work/stack"
}

# wim KB ARCH BASE TARGET PACKAGE-REVISION STACK KIB REAL-NAME: a cumulative update of 24H2.
wim() {
    local kb=$1 arch=$2 base=$3 target=$4 revision=$5 stack=$6 kib=$7 real=$8
    local dir="$work/image" meta="$work/meta" prefix="windows11.0-kb$kb-$arch"
    mkdir "$dir" "$meta"
    compdb "$kb" "$arch" "$base" "$target" "$revision" >"$meta/LCUCompDB_KB$kb.xml"
    zip_cab "$meta/LCUCompDB_KB$kb.xml.cab" "$meta/LCUCompDB_KB$kb.xml"
    zip_cab "$dir/onepackage.AggregatedMetadata.cab" "$meta/LCUCompDB_KB$kb.xml.cab"
    stack_cab "$dir" 26100 "$stack" "$arch"
    filler "$kib" "the payload of KB$kb, $arch" >"$dir/Windows11.0-KB$kb-$arch.psf"
    notice "$real" >"$dir/STAND-IN.txt"
    wimlib-imagex capture "$dir" "$work/package.wim" "KB$kb stand-in" --compress=none --no-acls >/dev/null
    publish "$work/package.wim" "$prefix" msu
    rm -r "$dir" "$meta"
}

# classic PREFIX KB ARCH NAME VERSION RELEASE-TYPE PARENT PARENT-VERSION FLOOR STACK KIB REAL-NAME:
# a package of the older form. PREFIX is the file name before the digest; STACK is "-" or the build of
# the servicing stack that lies inside.
classic() {
    local prefix=$1 kb=$2 arch=$3 name=$4 version=$5 release=$6 parent=$7 parent_version=$8 floor=$9
    local stack=${10} kib=${11} real=${12}
    local dir="$work/msu" inner="$work/inner" stem
    stem=$(sed -e 's/^windows/Windows/' -e 's/-kb/-KB/' -e 's/-ndp/-NDP/' -e 's/^ssu/SSU/' <<<"$prefix")
    mkdir "$dir" "$inner"

    mum "$kb" "$name" "$version" "$arch" "$release" "$parent" "$parent_version" "$floor" >"$inner/update.mum"
    filler "$kib" "the payload of KB$kb, $arch" >"$inner/payload.bin"
    cab "$dir/$stem.cab" "$inner/update.mum" "$inner/payload.bin"
    cat >"$dir/$stem-pkgProperties.txt" <<EOF
Applies to="Windows 10.0"
Company="none: this is a stand-in"
File Version="1"
Installation Type="FULL"
Installer Engine="Component Based Servicing - WUSA.exe"
KB Article Number="$kb"
Language="ALL"
Package Type="$release"
Processor Architecture="$(processor "$arch")"
Product Name="Windows 10.0"
Support Link="https://support.microsoft.com/help/$kb"
EOF
    cat >"$dir/$stem.xml" <<EOF
<?xml version="1.0" encoding="utf-8"?>
<unattend xmlns="urn:schemas-microsoft-com:unattend">
    <servicing>
        <package action="install">
            <assemblyIdentity $(identity "$name" "$version" "$arch") />
            <source location="%configsetroot%\\$stem.cab" />
        </package>
    </servicing>
</unattend>
EOF
    notice "$real" >"$dir/STAND-IN.txt"
    local members=("$dir/$stem.cab" "$dir/$stem-pkgProperties.txt" "$dir/$stem.xml" "$dir/STAND-IN.txt")
    if [ "$stack" != - ]; then
        stack_cab "$dir" "${stack%%.*}" "$stack" "$arch"
        members+=("$dir/SSU-$stack-$arch.cab")
    fi
    cab "$work/package.cab" "${members[@]}"
    publish "$work/package.cab" "$prefix" msu
    rm -r "$dir" "$inner"
}

# dynamic PREFIX KB ARCH NAME VERSION PARENT PARENT-VERSION FLOOR KIB REAL-NAME: a dynamic update, a
# bare .cab with its update.mum at the top.
dynamic() {
    local prefix=$1 kb=$2 arch=$3 dir="$work/dynamic"
    mkdir "$dir"
    mum "$kb" "$4" "$5" "$arch" "Security Update" "$6" "$7" "$8" >"$dir/update.mum"
    filler "$9" "the payload of the dynamic variant of KB$kb, $arch" >"$dir/payload.bin"
    notice "${10}" >"$dir/STAND-IN.txt"
    cab "$work/package.cab" "$dir/update.mum" "$dir/payload.bin" "$dir/STAND-IN.txt"
    publish "$work/package.cab" "$prefix" cab
    rm -r "$dir"
}

rm -rf "$here/files"
mkdir "$here/files"

#   kb      arch  base             target           rev stack      KiB  the real file
wim 5043080 x64   10.0.26100.1    10.0.26100.1742 10 26100.1738 9  windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu
wim 5043080 arm64 10.0.26100.1    10.0.26100.1742 10 26100.1738 11 windows11.0-kb5043080-arm64_df540a05f9b118e339c5520f4090bb5d450f090b.msu
wim 5085516 x64   10.0.26100.1742 10.0.26100.8039 15 26100.8035 33 windows11.0-kb5085516-x64_52aef89bc1afc5e67eec927556ec6926122936ad.msu
wim 5085516 arm64 10.0.26100.1742 10.0.26100.8039 15 26100.8035 30 windows11.0-kb5085516-arm64_3fc90ac2758378deaedd977ef86a9c3b61431a3e.msu
wim 5086672 x64   10.0.26100.1742 10.0.26100.8117 17 26100.8115 46 windows11.0-kb5086672-x64_97df4ed279e18da5b02308a5a3361313520fd346.msu
wim 5086672 arm64 10.0.26100.1742 10.0.26100.8117 17 26100.8115 41 windows11.0-kb5086672-arm64_ec8e69856b92118f17bac6e2046f54b3c87e59b0.msu

server=Microsoft-Windows-ServerStandardEdition
client=Microsoft-Windows-ProfessionalEdition
classic windows10.0-kb5094141-x64 5094141 x64 Package_for_ServicingStack_9231 14393.9231.1.0 "Security Update" \
    "$server" 10.0.14393.0 6.0.0.0 - 6 windows10.0-kb5094141-x64_84b6922c6e96f26ad91859d072aeeb6df8e5ab99.msu
classic windows10.0-kb5094122-x64 5094122 x64 Package_for_RollupFix 14393.9234.1.5 "Security Update" \
    "$server" 10.0.14393.0 10.0.14393.7692 - 38 windows10.0-kb5094122-x64_36bdd4a783ede6f6174b8fbe1046e8e3a613ad44.msu
classic windows10.0-kb5049608-x64 5049608 x64 Package_for_DotNetRollup_472 10.0.4126.1 "Security Update" \
    "$server" 10.0.17763.1 10.0.17763.2090 - 13 windows10.0-kb5049608-x64_1a94518425035b7c11ccd554c89ae09752db511c.msu
classic windows10.0-kb5049615-x64-ndp48 5049615 x64 Package_for_DotNetRollup 10.0.4770.1 "Security Update" \
    "$server" 10.0.17763.1 10.0.17763.2090 - 15 windows10.0-kb5049615-x64-ndp48_17bbac9f33539f6515297a7e2183d20b3b165424.msu
classic windows10.0-kb5030211-x64 5030211 x64 Package_for_RollupFix 19041.3448.1.6 "Security Update" \
    "$client" 10.0.19041.1 10.0.19041.1704 19041.3440 27 windows10.0-kb5030211-x64_3d513308b904db4f7ed0ca186b81d18f6a0de990.msu
dynamic windows10.0-kb5030211-x64 5030211 x64 Package_for_RollupFix 19041.3448.1.6 \
    "$client" 10.0.19041.1 10.0.19041.1704 24 "the .cab of the dynamic variant of KB5030211 for x64, whose name is not known here"
classic ssu-19041.3562-x64 5031539 x64 Package_for_ServicingStack_3562 19041.3562.1.0 "Security Update" \
    "$client" 10.0.19041.1 6.0.0.0 - 5 ssu-19041.3562-x64_de23c91f483b2e609cec3e4a995639d13205f867.msu

ls -l "$here/files"
