@echo off
rem kbmirror: KB5086672 for a running machine.
rem
rem For:       Windows 11 24H2, 25H2, 26H2, arm64; build 26100 or 26200 or 26300; client
rem Products:  Windows 11, version 24H2; Windows 11, version 25H2
rem Brings:    revision 8117 (the number after the dot in winver)
rem Knowledge: 2026-10-05
rem
rem Files, in the order of installation:
rem   1. checkpoint KB5043080; needed below revision 1742; DISM takes it by itself
rem      windows-11-24h2-arm64\windows11.0-kb5043080-arm64_df540a05f9b118e339c5520f4090bb5d450f090b.msu
rem   2. target KB5086672
rem      windows-11-24h2-arm64\windows11.0-kb5086672-arm64_ec8e6985.msu
rem
rem Run it as administrator, from where it lies beside its folder:
rem   without a word   checks, and installs where that finds something to do
rem   install          the same
rem   check            says whether the KB is in; changes nothing and needs no rights
rem It may be run again at any time: it goes on from what the machine then is.
rem
rem Exit codes:
rem   0     the KB is in, or what was to be installed is, and nothing is left to do
rem   3010  a restart is due: restart, then run this script again
rem   10    a word after the script's name that it does not know
rem   11    no administrator's rights
rem   12    the machine has another Windows than the set is for
rem   13    the machine has another architecture
rem   14    the machine's edition does not take the set
rem   15    not enough free space on the system drive
rem   16    a file of the set is missing
rem   17    the folder of the set holds something that is not of it
rem   18    a demonstration: nothing can be installed
rem   19    the installer of Windows is missing
rem   20    a package was refused or failed; the code and what to do are shown
rem   21    the KB is not in
rem   22    whether the KB is in cannot be told
setlocal EnableExtensions DisableDelayedExpansion
rem A variable of this name would hide the exit codes.
set "ERRORLEVEL="
set "DIRCMD="
set "HERE=%~dp0"
rem A 32-bit prompt on a 64-bit Windows is shown 32-bit tools; the machine's own ones are in Sysnative.
set "SYSTEM=%SystemRoot%\System32"
if defined PROCESSOR_ARCHITEW6432 if exist "%SystemRoot%\Sysnative\reg.exe" set "SYSTEM=%SystemRoot%\Sysnative"
set "LOG=%SystemRoot%\Logs\kbmirror-KB5086672.log"
if not exist "%SystemRoot%\Logs\" set "LOG=%TEMP%\kbmirror-KB5086672.log"
set "KEY=HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
set "CBS=HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing"
set "WU=HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update"

echo KB5086672: Windows 11 24H2, 25H2, 26H2, arm64
set "PHASE=%~1"
if not defined PHASE set "PHASE=next"
if /i "%PHASE%"=="next" goto begin
if /i "%PHASE%"=="install" goto begin
if /i "%PHASE%"=="check" goto begin
echo Usage: "%~nx0" [install / check]
echo   install   installs what this machine still needs
echo   check     says whether KB5086672 is in; changes nothing
echo   no word   checks, and installs where that finds something to do
exit /b 10

:begin
call :state
echo This machine: build %BUILD%%DOT_UBR%, %INSTALLATION%, edition %EDITION%, %MACHINE%
set "FITS="
for %%B in (26100 26200 26300) do if "%BUILD%"=="%%B" set "FITS=1"
if not defined FITS goto wrong_windows
if /i not "%INSTALLATION%"=="Client" goto wrong_windows
if /i not "%MACHINE%"=="ARM64" goto wrong_architecture
if %UBR% GEQ 8117 goto there
if /i "%PHASE%"=="check" goto not_there

"%SYSTEM%\reg.exe" query "HKU\S-1-5-19" >nul 2>&1
if not "%errorlevel%"=="0" goto not_elevated
call :pending
if defined PENDING goto restart_first
if not exist "%SYSTEM%\dism.exe" goto no_tool
set "MISSING="
if not exist "%HERE%windows-11-24h2-arm64\windows11.0-kb5043080-arm64_df540a05f9b118e339c5520f4090bb5d450f090b.msu" echo Missing: "%HERE%windows-11-24h2-arm64\windows11.0-kb5043080-arm64_df540a05f9b118e339c5520f4090bb5d450f090b.msu"& set "MISSING=1"
if not exist "%HERE%windows-11-24h2-arm64\windows11.0-kb5086672-arm64_ec8e6985.msu" echo Missing: "%HERE%windows-11-24h2-arm64\windows11.0-kb5086672-arm64_ec8e6985.msu"& set "MISSING=1"
if defined MISSING goto missing
set "FOREIGN="
for /f "eol=/ delims=" %%F in ('dir /b /a-d "%HERE%windows-11-24h2-arm64\*.msu" "%HERE%windows-11-24h2-arm64\*.cab" 2^>nul') do (if /i not "%%F"=="windows11.0-kb5043080-arm64_df540a05f9b118e339c5520f4090bb5d450f090b.msu" if /i not "%%F"=="windows11.0-kb5086672-arm64_ec8e6985.msu" (echo Not of the set: "%%F"& set "FOREIGN=1"))
for /f "eol=/ delims=" %%D in ('dir /b /ad "%HERE%windows-11-24h2-arm64\" 2^>nul') do (echo Not of the set: "%%D\"& set "FOREIGN=1")
if defined FOREIGN goto foreign
call :free
if not defined FREE_MB echo The free space of %SystemDrive% could not be read and is not checked.
if not defined FREE_MB set "FREE_MB=2147483647"
if %FREE_MB% LSS 9222 goto no_space

set "APPLIED="
set "RESTART="
echo.
if %UBR% GEQ 8117 echo Step 1 of 1: target KB5086672: not needed at build %BUILD%.%UBR%
if %UBR% GEQ 8117 goto finished
echo Step 1 of 1: target KB5086672. This may take from minutes to an hour.
echo   The checkpoint KB5043080 lies beside it; DISM takes it by itself where it is needed.
set "FILE=%HERE%windows-11-24h2-arm64\windows11.0-kb5086672-arm64_ec8e6985.msu"
call :add
if "%OUTCOME%"=="failed" goto failed
if "%OUTCOME%"=="not_applicable" goto failed
:finished
echo.
if not defined APPLIED goto nothing_applied
call :pending
if defined PENDING set "RESTART=1"
call :state
if %UBR% GEQ 8117 goto there
if defined RESTART goto restart_last
echo %INSTALLER% reports success, and this machine is still at build %BUILD%.%UBR%, below %BUILD%.8117,
echo with no restart pending: nothing was installed. The log says why: "%LOG%"
exit /b 21
:restart_last
echo KB5086672 is installed and waits for a restart: restart this machine, then run this script again.
echo It then checks for build %BUILD%.8117. To restart at once: shutdown /r /t 0
exit /b 3010

:there
echo KB5086672 is in: build %BUILD%.%UBR% is not below %BUILD%.8117. Nothing to do.
exit /b 0

:not_there
call :pending
if defined PENDING goto restart_first
echo KB5086672 is not in: this machine is at build %BUILD%.%UBR%, below %BUILD%.8117.
exit /b 21

:restart_now
echo.
echo Step done. The next one needs a restart first: restart this machine, then run this script again.
echo To restart at once: shutdown /r /t 0
exit /b 3010

:restart_first
echo Windows waits for a restart (%PENDING%).
echo Nothing was changed. Restart this machine, then run this script again.
echo To restart at once: shutdown /r /t 0
exit /b 3010

:not_elevated
echo This prompt has no administrator's rights, and nothing was changed.
echo Open a command prompt with "Run as administrator" and run this script there.
exit /b 11

:wrong_windows
echo The set is for Windows 11 24H2, 25H2, 26H2 (build 26100 or 26200 or 26300, client).
echo This machine is something else and never takes it. Nothing was changed.
exit /b 12
:wrong_architecture
echo The set is for arm64, and this machine is %MACHINE%. Nothing was changed.
exit /b 13
:no_space
echo 9222 MB must be free on %SystemDrive%, twice the size of the set, and %FREE_MB% MB are.
echo Nothing was changed. Make room, then run this script again.
exit /b 15

:missing
echo The set is not whole, and nothing was changed. Copy the folders of this KB once more, with all their files.
exit /b 16

:foreign
echo The folder of the set holds something that is not of it: see above.
echo DISM would take that up as well, so nothing was changed. Move it out of "%HERE%windows-11-24h2-arm64\"
exit /b 17

:no_tool
echo "%SYSTEM%\dism.exe" is not there; without it nothing can be installed.
exit /b 19

:nothing_applied
echo None of the packages is for this machine, and nothing was installed.
echo Most often that is the wrong product, or everything here is already installed in a newer version.
exit /b 20

:failed
echo.
echo %INSTALLER% ended with code %RESULT%.
call :advise
if "%INSTALLER%"=="DISM" echo Its log: "%LOG%"
if "%INSTALLER%"=="wusa" echo Its log: Event Viewer, Windows Logs, Setup
echo More detail: "%SystemRoot%\Logs\CBS\CBS.log"
exit /b 20

rem ---- What the lines above call -----------------------------------------------------------------------------

rem Reads value %2 of key %1 into VALUE; nothing where there is none.
:read
set "VALUE="
for /f "tokens=1,2,*" %%A in ('%SYSTEM%\reg.exe query "%~1" /v %2 2^>nul') do if /i "%%A"=="%2" set "VALUE=%%C"
exit /b 0

rem What this machine is. The architecture comes from the machine's own settings: this prompt may be emulated.
:state
call :read "%KEY%" CurrentBuild
set "BUILD=%VALUE%"
if not defined BUILD set "BUILD=unknown"
call :read "%KEY%" UBR
set "UBR=0"
set "DOT_UBR="
if defined VALUE set /a "UBR=%VALUE%"
if defined VALUE set "DOT_UBR=.%UBR%"
call :read "%KEY%" InstallationType
set "INSTALLATION=%VALUE%"
if not defined INSTALLATION set "INSTALLATION=unknown"
call :read "%KEY%" EditionID
set "EDITION=%VALUE%"
if not defined EDITION set "EDITION=unknown"
call :read "HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment" PROCESSOR_ARCHITECTURE
set "MACHINE=%VALUE%"
if not defined MACHINE set "MACHINE=%PROCESSOR_ARCHITECTURE%"
exit /b 0

rem Who says that a restart is pending, into PENDING.
:pending
set "PENDING="
"%SYSTEM%\reg.exe" query "%CBS%\RebootPending" >nul 2>&1
if "%errorlevel%"=="0" set "PENDING=servicing"
"%SYSTEM%\reg.exe" query "%WU%\RebootRequired" >nul 2>&1
if "%errorlevel%"=="0" set "PENDING=Windows Update"
if exist "%SystemRoot%\WinSxS\pending.xml" set "PENDING=pending.xml"
exit /b 0

rem The free space of the system drive in millions of bytes, into FREE_MB. The last line of dir has the bytes as its third
rem word, in every language; its last six digits are cut off because numbers here end at 2147483647.
:free
set "FREE_MB="
set "FREE="
for /f "tokens=3" %%A in ('dir /-c /a "%SystemDrive%\" 2^>nul') do set "FREE=%%A"
if not defined FREE exit /b 0
for /f "delims=0123456789" %%A in ("%FREE%") do set "FREE="
if not defined FREE exit /b 0
set "FREE_MB=%FREE:~0,-6%"
if not defined FREE_MB set "FREE_MB=0"
if not "%FREE:~15%"=="" set "FREE_MB=2147483647"
exit /b 0

rem Installs FILE. OUTCOME: done, restart, not_applicable, or failed; RESULT: the installer's own code.
:add
for %%F in ("%FILE%") do set "FILE=%%~fF"
set "INSTALLER=DISM"
"%SYSTEM%\dism.exe" /Online /Add-Package /PackagePath:"%FILE%" /NoRestart /LogPath:"%LOG%"
set "RESULT=%errorlevel%"
rem The codes of success. 2359302 is 0x240006, already installed; 2359301 is 0x240005, installed, restart to come.
set "OUTCOME=failed"
if "%RESULT%"=="0" set "OUTCOME=done"
if "%RESULT%"=="2359302" set "OUTCOME=done"
if "%RESULT%"=="3010" set "OUTCOME=restart"
if "%RESULT%"=="1641" set "OUTCOME=restart"
if "%RESULT%"=="2359301" set "OUTCOME=restart"
for %%C in (-2146498530 2148468766 -2145124329 2149842967) do if "%RESULT%"=="%%C" set "OUTCOME=not_applicable"
if "%RESULT%"=="2359302" echo   It is installed already.
if "%OUTCOME%"=="done" set "APPLIED=1"
if "%OUTCOME%"=="restart" set "APPLIED=1"
if "%OUTCOME%"=="restart" set "RESTART=1"
exit /b 0

rem What the code in RESULT means. It may be shown signed, unsigned, or, from DISM, without its first half.
:advise
for %%C in (-2146498530 2148468766) do if "%RESULT%"=="%%C" goto code_800f081e
for %%C in (-2145124329 2149842967) do if "%RESULT%"=="%%C" goto code_80240017
for %%C in (-2146498504 2148468792) do if "%RESULT%"=="%%C" goto code_800f0838
for %%C in (-2146498525 2148468771) do if "%RESULT%"=="%%C" goto code_800f0823
for %%C in (-2146498511 2148468785) do if "%RESULT%"=="%%C" goto code_800f0831
for %%C in (-2147010798 2147956498 14098) do if "%RESULT%"=="%%C" goto code_80073712
for %%C in (-2147010815 2147956481 14081) do if "%RESULT%"=="%%C" goto code_80073701
for %%C in (-2147024344 2147942952 552) do if "%RESULT%"=="%%C" goto code_80070228
for %%C in (-2147221021 2147746275) do if "%RESULT%"=="%%C" goto code_800401e3
for %%C in (-2146498554 2148468742) do if "%RESULT%"=="%%C" goto code_800f0806
for %%C in (-2146498513 2148468783) do if "%RESULT%"=="%%C" goto code_800f082f
for %%C in (-2146498529 2148468767) do if "%RESULT%"=="%%C" goto code_800f081f
for %%C in (-2146498283 2148469013) do if "%RESULT%"=="%%C" goto code_800f0915
for %%C in (-2146498270 2148469026) do if "%RESULT%"=="%%C" goto code_800f0922
for %%C in (-2147024784 2147942512 112) do if "%RESULT%"=="%%C" goto code_80070070
for %%C in (-2147024770 2147942526 126) do if "%RESULT%"=="%%C" goto code_8007007e
for %%C in (-2147024846 2147942450 50) do if "%RESULT%"=="%%C" goto code_80070032
for %%C in (-2147024735 2147942561 161) do if "%RESULT%"=="%%C" goto code_800700a1
for %%C in (-2147024891 2147942405 5) do if "%RESULT%"=="%%C" goto code_80070005
for %%C in (-2147024156 2147943140 740) do if "%RESULT%"=="%%C" goto code_800702e4
for %%C in (-2147024809 2147942487 87) do if "%RESULT%"=="%%C" goto code_80070057
for %%C in (-2147024883 2147942413 13) do if "%RESULT%"=="%%C" goto code_8007000d
for %%C in (-2146885628 2148081668) do if "%RESULT%"=="%%C" goto code_80092004
echo The code is not among those that are explained here.
exit /b 0
:code_800f081e
echo That is 0x800f081e: the package is not applicable.
echo It is for another product, architecture, or version of .NET, or something newer is installed already.
exit /b 0
:code_80240017
echo That is 0x80240017: the package is not applicable.
echo It is for another product or architecture, something newer is installed, or a prerequisite is missing.
exit /b 0
:code_800f0838
echo That is 0x800f0838: a checkpoint (an earlier cumulative update that this one builds upon) is missing.
echo Copy the whole folder of the set again: the checkpoint must lie beside the target.
exit /b 0
:code_800f0823
echo That is 0x800f0823: a newer servicing stack is required first.
echo Install the newest servicing stack update of this Windows, then run this script again.
exit /b 0
:code_800f0831
echo That is 0x800f0831: an earlier update that this one rests upon is missing or damaged.
echo CBS.log names it: install that update again, then run this script again.
exit /b 0
:code_80073712
echo That is 0x80073712: the component store is damaged, or a checkpoint was forced onto something newer.
echo Run: dism.exe /Online /Cleanup-Image /RestoreHealth - for a boot image leave the checkpoint out instead.
exit /b 0
:code_80073701
echo That is 0x80073701: the component store lacks a part of an earlier update.
echo Run: dism.exe /Online /Cleanup-Image /RestoreHealth - with /Source and /LimitAccess where there is no Internet.
exit /b 0
:code_80070228
echo That is 0x80070228: a checkpoint was applied to something past it, or the package is refused by the update agent.
echo Use this script and the set's own folder with nothing else in it; a checkpoint is never added by itself.
exit /b 0
:code_800401e3
echo That is 0x800401e3: the update agent, which the package was handed to, could not be started.
echo Use dism.exe as this script does, and leave the checkpoint to it.
exit /b 0
:code_800f0806
echo That is 0x800f0806: an earlier operation is still pending.
echo Restart, then run this script again.
exit /b 0
:code_800f082f
echo That is 0x800f082f: a restart is due first.
echo Restart, then run this script again.
exit /b 0
:code_800f081f
echo That is 0x800f081f: files that the package builds upon are not there.
echo The system was made smaller than it came, or is another base image: repair it from its own install media.
exit /b 0
:code_800f0915
echo That is 0x800f0915: the source of a feature or a repair was not found.
echo Name the install media of the same build with /Source.
exit /b 0
:code_800f0922
echo That is 0x800f0922: the update could not be finished, often because the system or recovery partition is full.
echo Make room there (some 500 MB on the recovery, 15 MB on the system partition), then run this script again.
exit /b 0
:code_80070070
echo That is 0x80070070: the disk is full.
echo Make room on the system drive and where TEMP is, then run this script again.
exit /b 0
:code_8007007e
echo That is 0x8007007e: a module was not found.
echo In winre.wim this is known and harmless when the Safe OS update went in; elsewhere see the log.
exit /b 0
:code_80070032
echo That is 0x80070032: the request is not supported.
echo The package is not meant for this WinPE, or this DISM is older than the image: use that of a newer Windows.
exit /b 0
:code_800700a1
echo That is 0x800700a1: the path is not taken, as wusa does on some shares.
echo Copy the folder of this KB to a local disk and run the script there.
exit /b 0
:code_80070005
echo That is 0x80070005: access was denied.
echo Run as administrator on the machine itself; wusa does not work in a remote session.
exit /b 0
:code_800702e4
echo That is 0x800702e4: administrator's rights are needed.
echo Open the command prompt with Run as administrator.
exit /b 0
:code_80070057
echo That is 0x80070057: DISM did not understand its arguments.
echo This DISM may be too old for the package: a running machine older than Windows 10 takes no .msu that way.
exit /b 0
:code_8007000d
echo That is 0x8007000d: the package cannot be read.
echo The file may be damaged: compare it with SHA256SUMS, and copy it again.
exit /b 0
:code_80092004
echo That is 0x80092004: the signature could not be checked.
echo Windows 7 and 2008 R2 need KB4490628 and KB4474419 first; else the file is damaged: compare it with SHA256SUMS.
exit /b 0
