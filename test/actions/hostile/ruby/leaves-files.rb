# Leaves files, folders, links, pipes and odd names wherever it may write.
require 'fileutils'

def main(args)
  places = %w[/tmp /home/action /dev/shm /var/tmp /run /dev/mqueue /].select do |folder|
    deep = "#{folder}/left/a/b"
    FileUtils.mkdir_p(deep)
    ['.left-hidden', "left/a/b/left\nwith a newline"].each { |name| File.write("#{folder}/#{name}", args['marker']) }
    File.symlink('/etc/passwd', "#{folder}/left-link")
    File.link("#{folder}/.left-hidden", "#{folder}/left-twin")
    File.mkfifo("#{folder}/left-pipe")
    File.binwrite("#{folder}/left-\xff".b, 'x')
    File.chmod(0, deep)
    true
  rescue SystemCallError
    File.exist?("#{folder}/.left-hidden")
  end
  { left: places.any?, places: places }
end
