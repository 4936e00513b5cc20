@echo off
rem kbmirror: compares every file under data with the digests in manifest-sha256.txt.
rem Needs nothing but Windows (certutil). Changes nothing.
rem
rem   verify.cmd          reads every file of the medium; this takes a while
rem
rem Exit codes: 0 all files are as listed; 1 some are not, and are named; 2 there is no certutil, or no manifest with a file in it.
rem
rem What this proves: no file was damaged or forgotten since the manifest was written. That nobody changed both is what
rem the signature is for: kbmirror check-medium, or minisign -Vm set.json -P KEY with the key that you have already.
setlocal EnableExtensions DisableDelayedExpansion
pushd "%~dp0"
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
for /f "usebackq tokens=1,*" %%A in ("manifest-sha256.txt") do call :one "%%A" "%%B"
if "%LISTED%"=="0" (
    echo manifest-sha256.txt lists no file.
    popd
    exit /b 2
)
set "ROOT=%CD%\"
if "%CD:~-1%"=="\" set "ROOT=%CD%"
set /a THERE=0
for /f "delims=" %%F in ('dir /s /b /a-d data 2^>nul') do set /a THERE+=1
echo.
if not "%THERE%"=="%LISTED%" (
    echo %THERE% files lie under data, and %LISTED% are listed. Nothing else may lie there: DISM takes up what it finds.
    set /a WRONG+=1
    for /f "delims=" %%F in ('dir /s /b /a-d data 2^>nul') do (
        set "FILE=%%F"
        call :listed
    )
)
popd
if "%WRONG%"=="0" (
    echo All %LISTED% files are as listed.
    exit /b 0
)
echo %WRONG% faults. Do not install from this medium.
exit /b 1

rem Names the file in FILE when the manifest does not have it. Its name may be anything: it stays between quotes.
:listed
set "KNOWN="
call set "FILE=%%FILE:%ROOT%=%%"
for /f "usebackq tokens=1,*" %%A in ("manifest-sha256.txt") do (
    set "OTHER=%%B"
    call :same
)
if not defined KNOWN echo EXTRA      "%FILE%"
exit /b 0

:same
if /i "%OTHER:/=\%"=="%FILE%" set "KNOWN=1"
exit /b 0

rem Compares a file with its digest. The output of certutil is in the language of Windows, and old versions put a space
rem between all bytes: the digest is its second line, without its spaces.
:one
set /a LISTED+=1
set "FILE=%~2"
set "FILE=%FILE:/=\%"
if not exist "%FILE%" goto :missing
set "FOUND="
for /f "skip=1 delims=" %%H in ('%CERTUTIL% -hashfile "%FILE%" SHA256') do if not defined FOUND set "FOUND=%%H"
if defined FOUND set "FOUND=%FOUND: =%"
if /i "%FOUND%"=="%~1" goto :right
echo DIFFERENT  %FILE%
set /a WRONG+=1
exit /b 0

:right
echo ok         %FILE%
exit /b 0

:missing
echo MISSING    %FILE%
set /a WRONG+=1
exit /b 0
