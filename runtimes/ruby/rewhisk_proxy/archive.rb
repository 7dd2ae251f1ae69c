# Unpacks an action's archive into a folder, and refuses whatever would reach beyond that folder.

# Nothing is trusted: names, links, sizes and modes come from strangers. Every check is made here and names the entry. The
# folder is new and this process alone writes below it, so a path that was checked stays what it was: parents are only ever
# real folders made here, and links are made last, after every file.

require_relative "zip"

module RewhiskProxy
  class Archive
    MOST_ENTRIES = 100_000
    MOST_PATH_BYTES = 4096
    FOLDER_MODE, FILE_MODE = 0o755, 0o644
    KIND, FOLDER, FILE, LINK = 0o170000, 0o040000, 0o100000, 0o120000
    NEW_FILE = File::WRONLY | File::CREAT | File::EXCL | File::NOFOLLOW | File::BINARY

    # Unpacks the bytes into the new folder `root`. Raises ArchiveError; the folder is then partly filled.
    def self.unpack(data, root)
      raise ArchiveError, "The code is not a zip archive." unless data.start_with?(Zip::SIGNATURE)
      Dir.mkdir(root, FOLDER_MODE)
      new(Zip.new(data), root).unpack
    end

    def initialize(zip, root)
      @zip = zip
      @root = root
      @entries = 0
      @folders = { "" => true }
      @folder_modes = {}
      @links = []
    end

    def unpack
      @zip.each { |entry| add(entry) }
      @links.each { |name, path, target| make_link(name, path, target) }
      @links.each { |name, path, target| check_inside(name, path, target) }
      @folder_modes.each { |name, mode| File.chmod(mode, File.join(@root, name)) }
    end

    private

    def add(entry)
      refuse(entry.path, "is encrypted") if entry.encrypted?
      kind = entry.mode & KIND
      kind = FOLDER if kind.zero? && entry.path.end_with?("/")
      case kind
      when LINK then add_link(entry)
      when FOLDER then add_folder(entry.path, entry.mode & 0o777)
      when 0, FILE then entry.path.end_with?("/") ? add_folder(entry.path, entry.mode & 0o777) : add_file(entry)
      else refuse(entry.path, "is neither a file nor a folder nor a link")
      end
    end

    def add_folder(path, mode)
      name = counted(path)
      make_folder(name, path)
      @folder_modes[name] = mode | 0o700 unless mode.zero? || name.empty?
    end

    def add_file(entry)
      path, mode = entry.path, entry.mode & 0o777
      name = counted(path)
      refuse(path, "has no name") if name.empty?
      refuse(path, "is a file and a folder at once") if @folders.key?(name)
      make_folder(parent(name), path)
      naming(path) do
        place = File.join(@root, name)
        File.unlink(place) if File.symlink?(place) || File.exist?(place)
        File.open(place, NEW_FILE, mode.zero? ? FILE_MODE : mode | 0o600) do |file|
          file.sync = true
          @zip.content(entry) { |piece| file.write(piece) }
        end
      end
    end

    def add_link(entry)
      refuse(entry.path, "is a link to too long a path") if entry.bytes > MOST_PATH_BYTES
      target = "".b
      @zip.content(entry) { |piece| target << piece }
      @links << [counted(entry.path), entry.path, target.force_encoding(Encoding::UTF_8)]
    end

    def make_link(name, path, target)
      leaves(path, target) if target.include?("\0") || target.start_with?("/") || climbs?("#{parent(name)}/#{target}")
      make_folder(parent(name), path)
      naming(path) { File.symlink(target, File.join(@root, name)) }
    end

    # A chain of links each of which looks harmless may still lead out.
    def check_inside(name, path, target)
      root = File.realpath(@root)
      real = resolved(File.join(root, name))
      leaves(path, target) unless real == root || real.start_with?("#{root}/")
    end

    # Where a link leads, whether or not there is anything; "" where it leads in a circle.
    def resolved(path)
      File.realdirpath(path)
    rescue Errno::ENOENT, Errno::ENOTDIR
      folder = resolved(File.dirname(path))
      return folder if folder.empty?
      aim = File.join(folder, File.basename(path))
      File.symlink?(aim) ? resolved(File.expand_path(File.readlink(aim), folder)) : aim
    rescue Errno::ELOOP
      ""
    end

    def climbs?(path)
      depth = 0
      path.split("/").any? do |part|
        depth += { "" => 0, "." => 0, ".." => -1 }.fetch(part, 1)
        depth.negative?
      end
    end

    def leaves(path, target) = refuse(path, "is a link that leaves the archive's folder (to \"#{target}\")")

    def make_folder(name, path)
      return if @folders.key?(name)
      make_folder(parent(name), path)
      naming(path) { Dir.mkdir(File.join(@root, name), FOLDER_MODE) }
      @folders[name] = true
    end

    def parent(name) = name.include?("/") ? name.rpartition("/").first : ""

    # The entry's name without "./" and trailing "/"; "" for the root itself.
    def counted(path)
      @entries += 1
      refuse(path, "is one more than the #{MOST_ENTRIES} an archive may hold") if @entries > MOST_ENTRIES
      refuse(path, "has a character that no name may have") if !path.valid_encoding? || path.match?(/[\0\\]/)
      refuse(path, "has an absolute path") if path.start_with?("/")
      refuse(path, "has too long a path") if path.bytesize > MOST_PATH_BYTES
      parts = path.split("/").reject { |part| part.empty? || part == "." }
      refuse(path, "leaves the archive's folder") if parts.include?("..")
      parts.join("/")
    end

    # Turns an error of the file system into a refusal that names the entry.
    def naming(path)
      yield
    rescue Errno::ENOSPC
      refuse(path, "does not fit: the container's disk is full")
    rescue Errno::EEXIST, Errno::ENOTDIR, Errno::EISDIR
      refuse(path, "is a file and a folder at once")
    rescue SystemCallError => error
      refuse(path, "cannot be written: #{error.message}")
    end

    def refuse(path, why) = raise(ArchiveError.of(path.scrub, why))
  end
end
