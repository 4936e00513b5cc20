# kbmirror: compares every file under data with the digests in manifest-sha256.txt. Needs PowerShell 4 or later.
#   powershell -ExecutionPolicy Bypass -File verify.ps1
# Exit codes: 0 all files are as listed; 1 some are not, and are named. What it proves is told in verify.cmd.
Set-Location -LiteralPath (Split-Path -Parent $MyInvocation.MyCommand.Path)
$wrong = 0
$listed = 0
foreach ($line in Get-Content -LiteralPath 'manifest-sha256.txt') {
    if ($line.Length -lt 67) { continue }
    $listed++
    $path = $line.Substring(66).Replace('/', '\')
    if (-not (Test-Path -LiteralPath $path)) {
        Write-Output "MISSING    $path"
        $wrong++
    } elseif ((Get-FileHash -LiteralPath $path -Algorithm SHA256).Hash -ne $line.Substring(0, 64)) {
        Write-Output "DIFFERENT  $path"
        $wrong++
    } else {
        Write-Output "ok         $path"
    }
}
$there = @(Get-ChildItem -LiteralPath 'data' -Recurse -Force | Where-Object { -not $_.PSIsContainer }).Count
if ($there -ne $listed) {
    Write-Output "$there files lie under data, and $listed are listed. Nothing else may lie there."
    $wrong++
}
if ($wrong -ne 0) {
    Write-Output "$wrong faults. Do not install from this medium."
    exit 1
}
Write-Output "All $listed files are as listed."
exit 0
