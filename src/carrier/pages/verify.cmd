@echo off
rem kbmirror: compares every file under data with the digests in manifest-sha256.txt.
rem Needs nothing but Windows (certutil). Changes nothing.
rem
rem   verify.cmd          reads every file of the medium; this takes a while
rem
rem Exit codes: 0 all files are as listed; 1 some are not, and are named; 2 the medium has no manifest or no certutil.
rem
rem What this proves: no file was damaged or forgotten since the manifest was written. That nobody changed both is what
rem the signature is for: kbmirror check-medium, or minisign -Vm set.json -P KEY with the key that you have already.
setlocal EnableExtensions EnableDelayedExpansion
pushd "%~dp0" || exit /b 2
if not exist manifest-sha256.txt (
    echo There is no manifest-sha256.txt beside this script.
    popd
    exit /b 2
)
set "CERTUTIL=%SystemRoot%\System32\certutil.exe"
if not exist "%CERTUTIL%" (
    echo certutil.exe is missing on this Windows: use verify.ps1, or kbmirror check-medium.
    popd
    exit /b 2
)
set /a LISTED=0
set /a WRONG=0
for /f "usebackq tokens=1,*" %%A in ("manifest-sha256.txt") do (
    set /a LISTED+=1
    set "FILE=%%B"
    set "FILE=!FILE:/=\!"
    call :one "%%A"
)
set /a THERE=0
for /f "delims=" %%F in ('dir /s /b /a-d data 2^>nul') do set /a THERE+=1
echo.
if not "%THERE%"=="%LISTED%" (
    echo %THERE% files lie under data, and %LISTED% are listed. Nothing else may lie there: DISM takes up what it finds.
    set /a WRONG+=1
)
popd
if "%WRONG%"=="0" (
    echo All %LISTED% files are as listed.
    exit /b 0
)
echo %WRONG% faults. Do not install from this medium.
exit /b 1

rem Compares the file in FILE with the digest. The output of certutil is in the language of Windows, and old versions put
rem a space between all bytes: the digest is its second line, without its spaces.
:one
if not exist "!FILE!" (
    echo MISSING    !FILE!
    set /a WRONG+=1
    exit /b 0
)
set "FOUND="
for /f "skip=1 delims=" %%H in ('%CERTUTIL% -hashfile "!FILE!" SHA256') do if not defined FOUND set "FOUND=%%H"
if defined FOUND set "FOUND=!FOUND: =!"
if /i "!FOUND!"=="%~1" (
    echo ok         !FILE!
    exit /b 0
)
echo DIFFERENT  !FILE!
set /a WRONG+=1
exit /b 0
