# kbmirror: compares every file under data with the digests in manifest-sha256.txt. Needs PowerShell 4 or later.
#   powershell -ExecutionPolicy Bypass -File verify.ps1
# Exit codes: 0 all files match; 1 some files do not match and are printed; 2 the check failed, and the reason is printed.
# The comments in verify.cmd describe what the check detects.
$ErrorActionPreference = 'Stop'
trap {
    Write-Output "The check failed: $_"
    exit 2
}
Set-Location -LiteralPath (Split-Path -Parent $MyInvocation.MyCommand.Path)
if (-not (Get-Command -Name 'Get-FileHash' -ErrorAction SilentlyContinue)) {
    Write-Output 'Get-FileHash is missing on this Windows: use verify.cmd, or kbmirror check-medium.'
    exit 2
}
if (-not (Test-Path -LiteralPath 'manifest-sha256.txt' -PathType Leaf)) {
    Write-Output 'manifest-sha256.txt is missing beside this script.'
    exit 2
}
$wrong = 0
$listed = 0
foreach ($line in @(Get-Content -LiteralPath 'manifest-sha256.txt')) {
    if ($line -cnotmatch '^[0-9a-f]{64}  data/.') {
        Write-Output 'A line of manifest-sha256.txt does not have the format of kbmirror.'
        exit 2
    }
    $listed++
    $path = $line.Substring(66).Replace('/', '\')
    if (-not (Test-Path -LiteralPath $path -PathType Leaf)) {
        Write-Output "MISSING    $path"
        $wrong++
    } elseif ((Get-FileHash -LiteralPath $path -Algorithm SHA256).Hash -ne $line.Substring(0, 64)) {
        Write-Output "DIFFERENT  $path"
        $wrong++
    } else {
        Write-Output "ok         $path"
    }
}
if ($listed -eq 0) {
    Write-Output 'manifest-sha256.txt does not list any file.'
    exit 2
}
$there = 0
if (Test-Path -LiteralPath 'data' -PathType Container) {
    $there = @(Get-ChildItem -LiteralPath 'data' -Recurse -Force | Where-Object { -not $_.PSIsContainer }).Count
}
if ($there -gt $listed) {
    Write-Output "Files under data: $there. Listed files: $listed. Remove the files that are not listed."
    $wrong++
}
if ($wrong -ne 0) {
    Write-Output "Faults: $wrong. Do not install from this medium."
    exit 1
}
Write-Output "All files match the manifest: $listed."
exit 0
