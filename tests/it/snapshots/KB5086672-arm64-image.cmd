@echo off
rem kbmirror: KB5086672 for a mounted image.
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
rem Run it as administrator, from where it lies, with the folder of a mounted install.wim:
rem   MOUNT-FOLDER             adds the packages
rem   MOUNT-FOLDER cleanup     the same, then StartComponentCleanup
rem It mounts, unmounts, and saves nothing. DISM must be that of this image's Windows or of a newer one; the
rem variable KBMIRROR_DISM may name another dism.exe, as that of the ADK.
rem
rem Not checked:
rem   client or server, edition, and revision: they stand in the image's registry; DISM refuses what does not fit
rem   free space where the image is mounted
rem
rem Exit codes:
rem   0     every package that the image takes is in it
rem   10    no mount folder was named, or a word that the script does not know
rem   12    the folder holds no mounted Windows image, or one of WinPE
rem   13    the image has another architecture
rem   16    a file of the set is missing
rem   17    the folder of the set holds something that is not of it
rem   18    a demonstration: nothing can be installed
rem   19    dism.exe is missing
rem   20    a package was refused or failed; the code and what to do are shown
setlocal EnableExtensions DisableDelayedExpansion
rem A variable of this name would hide the exit codes.
set "ERRORLEVEL="
set "HERE=%~dp0"
set "SYSTEM=%SystemRoot%\System32"
if defined PROCESSOR_ARCHITEW6432 if exist "%SystemRoot%\Sysnative\reg.exe" set "SYSTEM=%SystemRoot%\Sysnative"
set "DISM=%SYSTEM%\dism.exe"
if defined KBMIRROR_DISM set "DISM=%KBMIRROR_DISM%"
set "LOG=%TEMP%\kbmirror-KB5086672-image.log"

echo KB5086672: Windows 11 24H2, 25H2, 26H2, arm64, into a mounted image
set "MOUNT=%~f1"
set "CLEANUP=%~2"
if "%~1"=="" goto usage
if not defined CLEANUP goto begin
if /i "%CLEANUP%"=="cleanup" goto begin
:usage
echo Usage: "%~nx0" MOUNT-FOLDER [cleanup]
echo   MOUNT-FOLDER   where the image is mounted: dism.exe /Mount-Image /ImageFile:... /Index:... /MountDir:...
echo   cleanup        afterwards, removes what the update replaced (StartComponentCleanup; takes long)
exit /b 10

:begin
rem A backslash before the closing quote would swallow it; a bare drive needs its backslash and no quotes.
if "%MOUNT:~-1%"=="\" set "MOUNT=%MOUNT:~0,-1%"
set IMAGE=/Image:"%MOUNT%"
if "%MOUNT:~1%"==":" set "IMAGE=/Image:%MOUNT%\"
if not exist "%MOUNT%\Windows\System32\" goto no_image
if not exist "%MOUNT%\Windows\servicing\" goto no_image
if exist "%MOUNT%\Windows\System32\winpeshl.exe" if not exist "%MOUNT%\Windows\explorer.exe" goto is_pe
if not exist "%MOUNT%\Windows\WinSxS\arm64_microsoft-windows-servicingstack_31bf3856ad364e35_*" goto wrong_architecture
set "FITS="
if exist "%MOUNT%\Windows\WinSxS\arm64_microsoft-windows-servicingstack_31bf3856ad364e35_*.26100.*" set "FITS=1"
if exist "%MOUNT%\Windows\WinSxS\arm64_microsoft-windows-servicingstack_31bf3856ad364e35_*.26200.*" set "FITS=1"
if exist "%MOUNT%\Windows\WinSxS\arm64_microsoft-windows-servicingstack_31bf3856ad364e35_*.26300.*" set "FITS=1"
if not defined FITS echo Mind: the image does not look like Windows 11 24H2, 25H2, 26H2. DISM refuses what does not fit.
if not exist "%DISM%" goto no_tool
set "MISSING="
if not exist "%HERE%windows-11-24h2-arm64\windows11.0-kb5043080-arm64_df540a05f9b118e339c5520f4090bb5d450f090b.msu" echo Missing: "%HERE%windows-11-24h2-arm64\windows11.0-kb5043080-arm64_df540a05f9b118e339c5520f4090bb5d450f090b.msu"& set "MISSING=1"
if not exist "%HERE%windows-11-24h2-arm64\windows11.0-kb5086672-arm64_ec8e6985.msu" echo Missing: "%HERE%windows-11-24h2-arm64\windows11.0-kb5086672-arm64_ec8e6985.msu"& set "MISSING=1"
if defined MISSING goto missing
set "FOREIGN="
for /f "eol=/ delims=" %%F in ('dir /b /a-d "%HERE%windows-11-24h2-arm64\*.msu" "%HERE%windows-11-24h2-arm64\*.cab" 2^>nul') do (if /i not "%%F"=="windows11.0-kb5043080-arm64_df540a05f9b118e339c5520f4090bb5d450f090b.msu" if /i not "%%F"=="windows11.0-kb5086672-arm64_ec8e6985.msu" (echo Not of the set: "%%F"& set "FOREIGN=1"))
for /f "eol=/ delims=" %%D in ('dir /b /ad "%HERE%windows-11-24h2-arm64\" 2^>nul') do (echo Not of the set: "%%D\"& set "FOREIGN=1")
if defined FOREIGN goto foreign

set "APPLIED="
echo.
echo Step 1 of 1: target KB5086672. This may take from minutes to an hour.
echo   The checkpoint KB5043080 lies beside it; DISM takes it by itself where it is needed.
set "FILE=%HERE%windows-11-24h2-arm64\windows11.0-kb5086672-arm64_ec8e6985.msu"
call :add
if "%OUTCOME%"=="failed" goto failed
if "%OUTCOME%"=="not_applicable" goto failed
:finished
echo.
if not defined APPLIED goto nothing_applied
if not defined CLEANUP goto done
echo Removing what was replaced. This takes long.
"%DISM%" %IMAGE% /Cleanup-Image /StartComponentCleanup /LogPath:"%LOG%"
set "RESULT=%errorlevel%"
if not "%RESULT%"=="0" goto failed
:done
echo KB5086672: done. The image should now be at revision 8117; to see: dism.exe %IMAGE% /Get-Packages
echo Still to do: dism.exe /Unmount-Image /MountDir:"%MOUNT%" /Commit
if not defined CLEANUP echo A smaller image: run this script with the word cleanup after the folder, before unmounting.
exit /b 0

:no_image
echo "%MOUNT%" holds no mounted Windows image: Windows\System32 and Windows\servicing must be there.
exit /b 12

:is_pe
echo "%MOUNT%" is a WinPE or WinRE image. This script is for install.wim; those take other files.
exit /b 12

:wrong_architecture
echo The set is for arm64, and the image in "%MOUNT%" is not. Nothing was changed.
exit /b 13

:missing
echo The set is not whole, and nothing was changed. Copy the folders of this KB once more, with all their files.
exit /b 16

:foreign
echo The folder of the set holds something that is not of it: see above.
echo DISM would take that up as well, so nothing was changed. Move it out of "%HERE%windows-11-24h2-arm64\"
exit /b 17

:no_tool
echo "%DISM%" is not there; without it nothing can be installed.
exit /b 19

:nothing_applied
echo None of the packages is for this image, and nothing was installed.
echo Most often that is the wrong product, or everything here is already in the image in a newer version.
exit /b 20

:failed
echo.
echo DISM ended with code %RESULT%.
call :advise
echo Its log: "%LOG%"
echo To give the image up: dism.exe /Unmount-Image /MountDir:"%MOUNT%" /Discard
exit /b 20

rem ---- What the lines above call -----------------------------------------------------------------------------

rem Adds FILE to the image. OUTCOME: done, not_applicable, or failed; RESULT: DISM's own code.
:add
for %%F in ("%FILE%") do set "FILE=%%~fF"
"%DISM%" %IMAGE% /Add-Package /PackagePath:"%FILE%" /LogPath:"%LOG%"
set "RESULT=%errorlevel%"
set "OUTCOME=failed"
if "%RESULT%"=="0" set "OUTCOME=done"
if "%RESULT%"=="3010" set "OUTCOME=done"
for %%C in (-2146498530 2148468766 -2145124329 2149842967) do if "%RESULT%"=="%%C" set "OUTCOME=not_applicable"
if "%OUTCOME%"=="done" set "APPLIED=1"
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
