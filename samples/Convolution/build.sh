#!/usr/bin/env bash
# Builds the sample workload as one Native AOT binary: out/samples/convolution/convolution
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

case $(uname -m) in
  x86_64) rid=linux-x64 ;;
  aarch64) rid=linux-arm64 ;;
  armv7l) rid=linux-arm ;;
  *) echo "sample: no .NET runtime identifier is known for $(uname -m)" >&2; exit 1 ;;
esac
target="$root/out/samples/convolution"
stage="$target/.publish"
framework=$("$root/packaging/aot-framework.sh" "$rid")
rm -rf "$stage"
mkdir -p "$stage"
dotnet publish "$root/samples/Convolution/Convolution.csproj" -c Release -r "$rid" -o "$stage" \
  -p:EdgeTargetFramework="$framework" -p:PublishAot=true -p:StripSymbols=true \
  -p:BaseIntermediateOutputPath=obj/aot-"$framework"/ \
  -p:UseSharedCompilation=false --disable-build-servers -nodeReuse:false -v:quiet --nologo
mv -f "$stage/convolution" "$target/convolution"
rm -rf "$stage"
